//! Operators, their logins, and the record of who did what.

use super::*;
use crate::engine::Opened;
use crate::who::{Key, Who};
use std::time::Duration;
use wire::operator::{Deed, DeedFilter, DeedOutcome, Door, Operator, Password, Role};
use wire::query::Tried;

const SHIFT: Duration = Duration::from_hours(12);
const IDLE: Duration = Duration::from_hours(1);
const GOOD: &str = "four words in a row";

fn add(name: &str, role: Role, password: &str) -> Command {
    Command::OperatorAdd {
        name: name.parse().unwrap(),
        role,
        password: Password::new(password),
    }
}

impl Rig {
    async fn operator(&self, name: &str, role: Role) {
        self.command(add(name, role, GOOD)).await;
    }

    async fn log_in(&self, name: &str, password: &str) -> Result<Opened, Refusal> {
        let password = Password::new(password);
        self.engine.log_in(name, password, "192.0.2.9", SHIFT).await
    }

    async fn holder(&self, key: &Key) -> Option<Who> {
        let found = self.engine.who_holds(key, "192.0.2.9", IDLE).await;
        found.unwrap().map(|(who, _)| who)
    }

    async fn deeds(&self, filter: DeedFilter) -> Vec<Deed> {
        match self.engine.query(Query::Deeds(filter)).await.unwrap() {
            Answer::Deeds(deeds) => deeds,
            other => panic!("{other:?}"),
        }
    }

    async fn operators(&self) -> Vec<Operator> {
        match self.engine.query(Query::Operators).await.unwrap() {
            Answer::Operators(list) => list,
            other => panic!("{other:?}"),
        }
    }
}

fn name(text: &str) -> wire::operator::OperatorName {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_login_opens_with_the_password_alone_and_says_nothing_of_who_exists() {
    let rig = Rig::empty();
    assert!(!rig.engine.has_operators().await.unwrap());
    rig.operator("tess", Role::Operator).await;
    assert!(rig.engine.has_operators().await.unwrap());
    let opened = rig.log_in("Tess", GOOD).await.unwrap();
    assert_eq!(opened.who.role, Some(Role::Operator));
    assert_eq!(rig.holder(&opened.key).await.unwrap().name, "tess");
    let wrong = rig.log_in("tess", "four words in a rov").await.unwrap_err();
    let nobody = rig.log_in("bess", GOOD).await.unwrap_err();
    assert_eq!(wrong, nobody);
    assert_eq!(wrong.code, Code::LoginNeeded);
    assert!(rig.holder(&Key::random().unwrap()).await.is_none());
    let list = rig.operators().await;
    assert_eq!((list[0].sessions, list[0].last_login.is_some()), (1, true));
}

#[tokio::test]
async fn a_login_ends_unused_and_at_its_latest_moment() {
    let rig = Rig::empty();
    rig.operator("tess", Role::Viewer).await;
    let hour = 3_600_000;
    let unused = rig.log_in("tess", GOOD).await.unwrap();
    rig.pass(hour);
    assert!(rig.holder(&unused.key).await.is_none());
    let used = rig.log_in("tess", GOOD).await.unwrap();
    for _ in 0..23 {
        rig.pass(hour / 2);
        assert!(rig.holder(&used.key).await.is_some());
    }
    rig.pass(hour / 2);
    assert!(rig.holder(&used.key).await.is_none());
}

#[tokio::test]
async fn logins_end_with_a_new_password_a_suspension_and_the_operator() {
    let rig = Rig::empty();
    rig.operator("ada", Role::Admin).await;
    rig.operator("tess", Role::Operator).await;
    let logins = rig.engine.logins();
    let first = rig.log_in("tess", GOOD).await.unwrap();
    rig.command(Command::OperatorPassword {
        name: name("tess"),
        password: Password::new("other words than before"),
    })
    .await;
    assert!(logins.has_changed().unwrap());
    assert!(rig.holder(&first.key).await.is_none());
    assert!(rig.log_in("tess", GOOD).await.is_err());
    let second = rig.log_in("tess", "other words than before").await.unwrap();
    let role = Role::Viewer;
    let name_of = name("tess");
    rig.command(Command::OperatorRole {
        name: name_of,
        role,
    })
    .await;
    let now = rig.holder(&second.key).await.unwrap();
    assert_eq!(now.role, Some(Role::Viewer), "a role counts at once");
    let disable = |disabled| Command::OperatorDisable {
        name: name("tess"),
        disabled,
    };
    rig.command(disable(true)).await;
    assert!(rig.holder(&second.key).await.is_none());
    assert!(rig.log_in("tess", "other words than before").await.is_err());
    rig.command(disable(false)).await;
    assert!(rig.holder(&second.key).await.is_none(), "it stays ended");
    let third = rig.log_in("tess", "other words than before").await.unwrap();
    rig.command(Command::OperatorRemove { name: name("tess") })
        .await;
    assert!(rig.holder(&third.key).await.is_none());
    let fourth = rig.log_in("ada", GOOD).await.unwrap();
    rig.engine.log_out(&fourth.who).await.unwrap();
    assert!(rig.holder(&fourth.key).await.is_none());
}

#[tokio::test]
async fn a_password_that_an_administrator_changed_meanwhile_is_proved_no_more() {
    let rig = Rig::empty();
    rig.operator("tess", Role::Operator).await;
    let who = rig.log_in("tess", GOOD).await.unwrap().who;
    let proved = rig.engine.prove(&who, Password::new(GOOD)).await.unwrap();
    let given = "words that ada gave her";
    rig.command(Command::OperatorPassword {
        name: name("tess"),
        password: Password::new(given),
    })
    .await;
    let new = Password::new("words of a thief");
    let late = rig.engine.change_password(&who, proved, new).await;
    assert_eq!(late.unwrap_err().field.as_deref(), Some("present"));
    rig.log_in("tess", given).await.unwrap();
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let rig = Rig::empty();
    rig.operator("ada", Role::Admin).await;
    rig.operator("tess", Role::Operator).await;
    for command in [
        Command::OperatorRemove { name: name("ada") },
        Command::OperatorRole {
            name: name("ada"),
            role: Role::Viewer,
        },
        Command::OperatorDisable {
            name: name("ada"),
            disabled: true,
        },
    ] {
        let refusal = rig.refused(command).await;
        assert!(refusal.message.contains("last administrator"), "{refusal}");
    }
    rig.command(Command::OperatorRole {
        name: name("tess"),
        role: Role::Admin,
    })
    .await;
    rig.command(Command::OperatorRemove { name: name("ada") })
        .await;
    assert_eq!(rig.operators().await.len(), 1);
}

#[tokio::test]
async fn passwords_that_are_easily_guessed_are_refused_at_their_field() {
    let rig = Rig::empty();
    for weak in ["", "short", "tess123456", &"x".repeat(600)] {
        let refusal = rig.refused(add("tess", Role::Viewer, weak)).await;
        assert_eq!(refusal.field.as_deref(), Some("password"), "{weak}");
    }
    let unknown = rig.refused(add("tess", Role::Unknown, GOOD)).await;
    assert_eq!(unknown.field.as_deref(), Some("role"));
    rig.operator("tess", Role::Viewer).await;
    let again = rig.refused(add("TESS", Role::Viewer, GOOD)).await;
    assert_eq!(again.field.as_deref(), Some("name"));
}

#[tokio::test]
async fn trying_to_add_somebody_adds_nobody() {
    let rig = Rig::empty();
    let of = Box::new(add("tess", Role::Admin, GOOD));
    let tried = rig.engine.query(Query::Try { of }).await.unwrap();
    assert!(matches!(tried, Answer::Try(Tried::Do { .. })), "{tried:?}");
    assert!(rig.operators().await.is_empty());
}

#[tokio::test]
async fn a_command_is_judged_by_the_role_and_everything_is_on_the_record() {
    let rig = Rig::empty();
    let mut who = Who {
        name: "tess".to_owned(),
        role: Some(Role::Viewer),
        door: Door::Login,
        ..Who::nobody("192.0.2.9".to_owned())
    };
    let venue = Command::VenueAdd {
        code: "ARIA".parse().unwrap(),
        name: "Aria".to_owned(),
        location: String::new(),
        contact: String::new(),
    };
    let refused = rig.engine.command_by(&who, venue.clone()).await;
    assert_eq!(refused.unwrap_err().code, Code::Forbidden);
    who.role = Some(Role::Operator);
    rig.engine.command_by(&who, venue.clone()).await.unwrap();
    rig.engine.command_by(&who, venue).await.unwrap_err();
    let more = rig.engine.command_by(&who, add("bess", Role::Admin, GOOD));
    assert_eq!(more.await.unwrap_err().code, Code::Forbidden);
    who.role = None;
    let nobody = rig.engine.command_by(&who, Command::RehearsalStop).await;
    assert_eq!(nobody.unwrap_err().code, Code::LoginNeeded);
    let rows = rig.deeds(DeedFilter::default()).await;
    let seen: Vec<_> = rows
        .iter()
        .rev()
        .map(|row| (row.action.as_str(), row.outcome))
        .collect();
    assert_eq!(
        seen,
        [
            ("venue_add", DeedOutcome::Refused),
            ("venue_add", DeedOutcome::Done),
            ("venue_add", DeedOutcome::Refused),
            ("operator_add", DeedOutcome::Refused),
            ("rehearsal_stop", DeedOutcome::Refused),
        ]
    );
    let done = &rows[3];
    assert_eq!((done.who.as_str(), done.door), ("tess", Door::Login));
    assert_eq!(done.origin, "192.0.2.9");
    assert_eq!(done.subject, "code ARIA, name Aria");
    assert!(rows[2].why.as_deref().unwrap().contains("ARIA"));
}

#[tokio::test]
async fn logins_are_on_the_record_and_no_password_and_no_strange_name_is() {
    let rig = Rig::empty();
    rig.operator("tess", Role::Operator).await;
    let opened = rig.log_in("tess", GOOD).await.unwrap();
    rig.log_in("tess", "guess after guess").await.unwrap_err();
    rig.log_in("hunter2hunter2", "typed in the wrong field")
        .await
        .unwrap_err();
    rig.engine.log_out(&opened.who).await.unwrap();
    let rows = rig.deeds(DeedFilter::default()).await;
    let seen: Vec<_> = rows
        .iter()
        .rev()
        .map(|row| (row.who.clone(), row.action.as_str(), row.outcome))
        .collect();
    let own = Who::here().name;
    let of = |who: &str, what, came| (who.to_owned(), what, came);
    assert_eq!(
        seen,
        [
            of(&own, "operator_add", DeedOutcome::Done),
            of("tess", "login", DeedOutcome::Done),
            of("tess", "login", DeedOutcome::Refused),
            of("?", "login", DeedOutcome::Refused),
            of("tess", "logout", DeedOutcome::Done),
        ]
    );
    let all = format!("{rows:?}");
    for secret in [GOOD, "guess", "hunter2", "wrong field"] {
        assert!(!all.contains(secret), "{secret}");
    }
    let file = std::fs::read(rig.folder.path().join("punnet.db-wal")).unwrap();
    let holds = |text: &str| file.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(holds("argon2id") && !holds(GOOD) && !holds(opened.key.text()));
}

#[tokio::test]
async fn the_record_is_filtered_and_read_in_pages() {
    let rig = Rig::empty();
    for n in 0..5 {
        let who = Who {
            name: if n % 2 == 0 { "ada" } else { "tess" }.to_owned(),
            ..Who::here()
        };
        let file = format!("kart-{n}.img");
        rig.engine.record(&who, "upload", &file, None).await;
    }
    let page = |before, limit| DeedFilter {
        before,
        limit,
        ..DeedFilter::default()
    };
    let newest = rig.deeds(page(None, 2)).await;
    assert_eq!(newest[0].subject, "kart-4.img");
    let older = rig.deeds(page(Some(newest[1].id), 10)).await;
    assert_eq!(older.len(), 3);
    let tess = DeedFilter {
        who: Some("tess".to_owned()),
        ..DeedFilter::default()
    };
    assert_eq!(rig.deeds(tess).await.len(), 2);
    let text = DeedFilter {
        text: Some(" KART-3 ".to_owned()),
        ..DeedFilter::default()
    };
    assert_eq!(rig.deeds(text).await.len(), 1);
    let refused = DeedFilter {
        outcome: Some(DeedOutcome::Refused),
        ..DeedFilter::default()
    };
    assert!(rig.deeds(refused).await.is_empty());
}
