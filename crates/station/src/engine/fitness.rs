//! What of the world outside makes the station fit: its network card, the wire behind it, the packs
//! on its disk.

use super::ask::Engine;
use crate::config::Deployment;
use crate::net::findings::check;
use crate::net::{Footing, Nic, footing};
use wire::ImageId;
use wire::event::Level;
use wire::health::{Finding, Subsystem};
use wire::refusal::Refusal;

impl Engine {
    /// The card that boards hang on; nothing for an engine that stands on none.
    pub(super) async fn card(&self, deployment: Option<Deployment>) -> Option<Subsystem> {
        let deployment = deployment?;
        let nics = self.outside().ok()?.nics().await;
        Some(nic(nics, &deployment))
    }

    /// The images that boards get lie in the library, whole. `image` is what the plans say of them.
    pub(super) async fn on_disk(&self, mut image: Subsystem, wanted: Vec<ImageId>) -> Subsystem {
        let Ok(outside) = self.outside() else {
            return image;
        };
        // What the plans say is nearer to what is to be done.
        if !image.ready {
            return image;
        }
        for id in wanted {
            if let Err(refusal) = outside.pack(id).await {
                image.ready = false;
                image.detail = refusal.to_string();
            }
        }
        image
    }
}

/// Is the card there, with a cable and with the station's address?
fn nic(nics: Result<Vec<Nic>, Refusal>, deployment: &Deployment) -> Subsystem {
    let judged = nics.map_err(|refusal| refusal.to_string());
    let judged = judged.and_then(|nics| match footing(&nics, deployment, true) {
        Footing::Refused(why) => Err(why.to_string()),
        Footing::NoLink { why, .. } => Err(why),
        Footing::Linked(nic) if !nic.has(deployment.address.address) => Err(format!(
            "{} has not got the address {} yet",
            nic.name, deployment.address.address
        )),
        Footing::Linked(nic) => Ok(format!("{}, {}", nic.name, nic.link_words())),
    });
    let ready = judged.is_ok();
    let (Ok(detail) | Err(detail)) = judged;
    Subsystem {
        name: "nic".to_owned(),
        ready,
        detail,
    }
}

/// Is the station alone with its boards?
pub(super) fn wire(findings: &[Finding]) -> Subsystem {
    let disturbs = |f: &&Finding| {
        f.level == Level::Error && [check::DUPLICATE, check::RIVAL].contains(&f.check.as_str())
    };
    let found = findings.iter().find(disturbs);
    Subsystem {
        name: "wire".to_owned(),
        ready: found.is_none(),
        detail: found.map_or_else(
            || "no rival and no address used twice was found".to_owned(),
            |finding| finding.text.clone(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Environment};

    #[test]
    fn a_card_without_its_cable_or_its_address_is_not_fit() {
        let mut deployment = Config::defaults(&Environment::default()).deployment;
        let mut card = Nic {
            index: 2,
            name: "eth1".to_owned(),
            mac: None,
            up: true,
            carrier: true,
            speed_mbit: Some(1000),
            addresses: vec![(deployment.address.address, 24)],
            default_route: false,
            loopback: false,
        };
        let judge = |card: &Nic, deployment: &Deployment| nic(Ok(vec![card.clone()]), deployment);
        let none = judge(&card, &deployment);
        assert!(!none.ready && none.detail.contains("no network card is chosen"));
        deployment.interface = Some("eth1".to_owned());
        let fit = judge(&card, &deployment);
        assert_eq!(
            (fit.ready, fit.detail.as_str()),
            (true, "eth1, 1000 Mbit/s")
        );
        card.carrier = false;
        let loose = judge(&card, &deployment);
        assert!(!loose.ready && loose.detail.contains("check the cable"));
        card.carrier = true;
        card.addresses.clear();
        assert!(judge(&card, &deployment).detail.contains("192.168.151.1"));
        let mute = nic(Err(Refusal::internal("The kernel is mute.")), &deployment);
        assert!(!mute.ready && mute.detail.contains("mute"));
    }
}
