//! A whole rack is switched on at once.

use super::*;
use std::collections::HashSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_boards_at_once_get_a_thousand_names() {
    let rig = Rig::with_batch(1000).await;
    let asking: Vec<_> = (1..=1000)
        .map(|n| {
            let engine = rig.engine.clone();
            tokio::spawn(async move { engine.check_in(address(n), board(n)).await })
        })
        .collect();
    let mut names = HashSet::new();
    for answer in asking {
        match answer.await.unwrap().unwrap() {
            Order::Provision(job) => assert!(names.insert(job.hostname.key()), "{}", job.hostname),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(names.len(), 1000);
    let batch = rig.tile(1).await.batch.unwrap();
    assert_eq!(rig.see_batch(batch).await.counters.running, 1000);
}
