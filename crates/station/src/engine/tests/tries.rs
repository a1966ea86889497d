//! Trying a command says what would come of it and changes nothing.

use super::*;
use tokio_stream::StreamExt as _;
use wire::query::Tried;
use wire::request::{self, Question};
use wire::update::Update;

async fn try_out(rig: &Rig, of: Command) -> Tried {
    let of = Box::new(of);
    match rig.engine.query(Query::Try { of }).await.unwrap() {
        Answer::Try(tried) => tried,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_was_only_tried_did_not_happen() {
    let rig = Rig::ready(5).await;
    rig.held(9).await;
    let batch = rig.batch(2).await;
    let before = rig.events().await;
    let mut stream = rig.engine.watch();
    stream.next().await;
    let mut effects = rig.engine.effects();
    while effects.try_recv().is_ok() {}
    let tried = [
        Command::ServerStop {
            server: wire::health::ServerKind::Tftp,
        },
        Command::BatchCreate(plan(3)),
        Command::BatchExtend { batch, by: 1 },
        Command::BatchCancel { batch },
        import("6-9", false),
        Command::PreferencesSet(wire::settings::Preferences {
            names_low: 100,
            ..Default::default()
        }),
        Command::BoardAccept { mac: mac(77) },
        Command::BoardRelease {
            board: BoardId::Pi(9),
            reason: "sold".to_owned(),
        },
    ];
    for command in tried {
        let said = try_out(&rig, command.clone()).await;
        assert!(matches!(said, Tried::Do { .. }), "{command:?}: {said:?}");
    }
    assert_eq!(rig.events().await, before);
    assert!(effects.try_recv().is_err(), "nothing is done outside");
    assert_eq!(rig.see_batch(batch).await.plan.count, 2);
    assert_eq!(rig.tile(9).await.id, BoardId::Pi(9));
    // The next thing that is told is the next thing that happens.
    rig.venue("ARIA").await;
    let told = stream.next().await;
    assert!(matches!(told, Some(Update::Plans)), "{told:?}");
    let report = rig.import("6-9").await;
    assert_eq!(report.added, 4, "the names were not there");
}

#[tokio::test]
async fn a_refusal_of_a_try_is_that_of_the_command_with_its_field() {
    let rig = Rig::ready(1).await;
    let form = |name: &str, contact: &str| Command::VenueAdd {
        code: "ARIA".parse().unwrap(),
        name: name.to_owned(),
        location: String::new(),
        contact: contact.to_owned(),
    };
    let wrong = [
        (form("", ""), "name"),
        (form("Aria", "nobody"), "contact"),
        (Command::BatchCreate(plan(0)), "count"),
        (Command::BatchCreate(plan(2)), "count"),
        (import("", false), "text"),
    ];
    for (command, field) in wrong {
        match try_out(&rig, command.clone()).await {
            Tried::Refuse { refusal } => {
                assert_eq!(refusal.field.as_deref(), Some(field), "{refusal}");
                assert_eq!(refusal, rig.refused(command).await);
            }
            // An import says what is wrong line by line.
            Tried::Do { receipt } => assert!(matches!(*receipt, Receipt::Names(_))),
            Tried::Unknown => panic!("{command:?}"),
        }
    }
}

#[tokio::test]
async fn a_form_half_filled_is_answered_like_one_that_breaks_a_rule() {
    let rig = Rig::empty();
    let half = serde_json::json!({"query": "try", "of":
        {"command": "product_add", "code": "", "name": "Kart", "pattern": "{product}"}});
    let question = request::question(&half).unwrap();
    assert!(matches!(question, Question::Known(_)));
    match rig.engine.question(question).await.unwrap() {
        Answer::Try(Tried::Refuse { refusal }) => {
            assert_eq!(refusal.field.as_deref(), Some("code"));
            assert_eq!(refusal.message, "A product code cannot be empty.");
        }
        other => panic!("{other:?}"),
    }
}
