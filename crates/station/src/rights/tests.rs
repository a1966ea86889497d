use super::*;
use crate::config::{Config, Environment};

fn without_rights() -> Rights {
    // A program that exists and is no helper.
    Rights::new(Search {
        named: Some("/bin/false".into()),
        ..Search::default()
    })
}

#[tokio::test]
async fn a_card_that_cannot_be_used_is_refused_in_words() {
    let rights = without_rights();
    let deployment = Config::defaults(&Environment::default()).deployment;
    let denied = rights.stand_on("lo", &deployment).await.unwrap_err();
    assert_eq!(denied.reason, Reason::Forbidden);
    assert!(denied.text.contains("lo"), "{denied}");
    let denied = rights.udp(What::Dhcp).await.unwrap_err();
    assert!(
        denied.text.contains("no network card was chosen"),
        "{denied}"
    );
    rights.done().await;
}

#[tokio::test]
async fn questions_that_nobody_waits_for_do_not_mix_up_the_answers() {
    let rights = without_rights();
    for _ in 0..50 {
        let asking = rights.udp(What::Tftp);
        // Polled once, then dropped.
        let begun = tokio::time::timeout(std::time::Duration::ZERO, asking).await;
        drop(begun);
        let denied = rights.stand_on("no-such-nic", &deployment()).await;
        assert_eq!(denied.unwrap_err().reason, Reason::Missing);
    }
}

fn deployment() -> Deployment {
    Config::defaults(&Environment::default()).deployment
}
