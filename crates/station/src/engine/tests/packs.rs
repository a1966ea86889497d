//! Packs are looked after while nothing else is to be done.

use super::*;
use futures_lite::future::poll_once;
use std::pin::pin;

#[tokio::test]
async fn packs_are_not_read_through_while_a_board_is_being_written() {
    let rig = Rig::with_batch(1).await;
    rig.engine.boards_rest().await;
    let job = rig.job(7).await;
    let mut rest = pin!(rig.engine.boards_rest());
    assert!(poll_once(rest.as_mut()).await.is_none());
    rig.report(&job, vec![(1, step(Stage::Writing))]).await;
    assert!(poll_once(rest.as_mut()).await.is_none());
    rig.report(&job, work()).await;
    rest.await;
}

#[tokio::test]
async fn an_image_that_was_removed_and_comes_back_is_as_good_as_new() {
    let rig = Rig::ready(0).await;
    let image = rig.image("KXP2", 2).await.unwrap();
    rig.image("KXP2", 3).await.unwrap();
    let fault = Some(PackFault::Damaged);
    rig.engine.pack_looked_at(image.id, fault).await;
    let known = |images: Answer| match images {
        Answer::Images(all) => all.into_iter().find(|i| i.id == image.id),
        other => panic!("{other:?}"),
    };
    let marked = known(rig.engine.query(Query::Images).await.unwrap());
    assert_eq!(marked.unwrap().pack_fault, fault);
    rig.command(Command::ImageRemove { image: image.id }).await;
    let back = rig.image("KXP2", 2).await.unwrap();
    assert_eq!(back.pack_fault, None);
}
