//! Profiles: how a station is set, kept under a name.

use super::deployment::{begin, on, set, settings};
use super::*;
use crate::who::Who;
use wire::document::DocumentKind;
use wire::profile::ProfileReport;
use wire::query::Tried;

fn report(receipt: Receipt) -> ProfileReport {
    match receipt {
        Receipt::Profile(report) => *report,
        other => panic!("no profile: {other:?}"),
    }
}

fn save(name: &str) -> Command {
    Command::ProfileSave {
        name: name.to_owned(),
        product: Some("KXP2".parse().unwrap()),
        venue: Some("CORO".parse().unwrap()),
    }
}

fn apply(name: &str) -> Command {
    Command::ProfileApply {
        name: name.to_owned(),
    }
}

async fn tried(rig: &Rig, command: Command) -> Tried {
    let of = Box::new(command);
    match rig.engine.query(Query::Try { of }).await.unwrap() {
        Answer::Try(tried) => tried,
        other => panic!("{other:?}"),
    }
}

async fn file(rig: &Rig, name: &str) -> String {
    let name = name.to_owned();
    let paper = rig
        .engine
        .document_by(&Who::here(), DocumentKind::Profile { name })
        .await;
    String::from_utf8(paper.unwrap().bytes).unwrap()
}

#[tokio::test]
async fn a_profile_sets_another_station_up_in_one_step() {
    let rig = Rig::ready(1).await;
    begin(&rig, None).await;
    set(&rig, on("eth1")).await.unwrap();
    let saved = report(rig.command(save("Hall 3")).await).profile;
    assert_eq!(saved.deployment, Some(on("eth1")));
    let text = file(&rig, "hall 3").await;

    let other = Rig::empty();
    begin(&other, None).await;
    let import = Command::ProfileImport {
        text,
        replace: false,
    };
    let Tried::Do { receipt } = tried(&other, import.clone()).await else {
        panic!("it would be refused")
    };
    let preview = report(*receipt);
    assert_eq!(preview.profile, saved);
    let keys: Vec<&str> = preview.changes.iter().map(|c| c.key.as_str()).collect();
    assert_eq!(keys, ["network card", "product KXP2", "venue CORO"]);
    assert_eq!(preview.changes[0].to, "eth1");
    let none = other.engine.query(Query::Profiles).await.unwrap();
    assert_eq!(none, Answer::Profiles(Vec::new()), "it was only a look");
    assert_eq!(report(other.command(import.clone()).await), preview);
    let twice = other.refused(import).await;
    assert_eq!(twice.code, Code::Conflict, "{twice}");

    let applied = report(other.command(apply("Hall 3")).await);
    assert_eq!(applied.changes, preview.changes);
    assert_eq!(settings(&other).await.deployment, on("eth1"));
    let Answer::Products(products) = other.engine.query(Query::Products).await.unwrap() else {
        panic!("products were asked for")
    };
    assert_eq!(products[0].pattern, "{product}-{venue}-{number:03}");
    let again = report(other.command(apply("hall 3")).await);
    assert!(again.changes.is_empty(), "{again:?}");
}

#[tokio::test]
async fn a_file_with_a_mistake_is_refused_by_line_and_nothing_is_kept() {
    let rig = Rig::empty();
    begin(&rig, None).await;
    let text = "profile = 1\nname = \"x\"\n[deployment]\nadress = \"10.0.0.1/24\"\n".to_owned();
    let import = Command::ProfileImport {
        text,
        replace: false,
    };
    let refusal = rig.refused(import).await;
    assert_eq!(refusal.field.as_deref(), Some("text"));
    assert!(refusal.message.contains("line 4"), "{refusal}");
    assert!(
        refusal.message.contains("did you mean address?"),
        "{refusal}"
    );
    let none = rig.engine.query(Query::Profiles).await.unwrap();
    assert_eq!(none, Answer::Profiles(Vec::new()));
}

#[tokio::test]
async fn a_profile_that_would_hurt_a_batch_is_refused_whole() {
    let rig = Rig::with_batch(1).await;
    begin(&rig, None).await;
    rig.command(save("now")).await;
    // Another card, and another pattern, while a batch takes boards.
    let now = file(&rig, "now").await;
    let elsewhere = now
        .replace("name = \"now\"", "name = \"card\"")
        .replace("[deployment]\n", "[deployment]\ninterface = \"eth1\"\n")
        .replace("names_low = 5", "names_low = 9");
    let renamed = now
        .replace("name = \"now\"", "name = \"pattern\"")
        .replace("{number:03}", "{number:04}")
        .replace("names_low = 5", "names_low = 9");
    for (text, name, part) in [
        (elsewhere, "card", "Batch 1 takes boards"),
        (renamed, "pattern", "Batch 1 of KXP2 is under way"),
    ] {
        let replace = false;
        rig.command(Command::ProfileImport { text, replace }).await;
        let refusal = rig.refused(apply(name)).await;
        assert_eq!(refusal.code, Code::Conflict);
        assert!(refusal.message.contains(part), "{refusal}");
        let of = tried(&rig, apply(name)).await;
        assert_eq!(of, Tried::Refuse { refusal }, "a look says the same");
        assert_eq!(settings(&rig).await.preferences.names_low, 5, "{name}");
    }
    rig.command(apply("now")).await;
    let remove = Command::ProfileRemove {
        name: "now".to_owned(),
    };
    rig.command(remove).await;
    let gone = rig.refused(apply("now")).await;
    assert_eq!(gone.code, Code::NotFound);
}

#[tokio::test]
async fn a_card_that_cannot_be_is_refused_before_anything_is_done() {
    let rig = Rig::ready(1).await;
    begin(&rig, None).await;
    rig.command(save("here")).await;
    let text = file(&rig, "here").await;
    let text = text.replace("[deployment]\n", "[deployment]\ninterface = \"eth9\"\n");
    let replace = true;
    rig.command(Command::ProfileImport { text, replace }).await;
    let refusal = rig.refused(apply("here")).await;
    assert!(
        refusal.message.contains("no network card eth9"),
        "{refusal}"
    );
}
