//! The password of whoever is logged in, changed by its owner.
//!
//! First the present one is proved, which the door counts like a login; only then the new one is looked
//! at. A login that was stolen is worth no password.

use super::ask::Engine;
use super::deeds::Attempt;
use super::logins::{acceptable, fits, kept};
use crate::store;
use crate::who::{Key, Who};
use wire::operator::{OperatorName, Password};
use wire::refusal::Refusal;
use wire::update::Update;

/// What it is called on the record.
const ACTION: &str = "password_change";

/// Somebody's present password, proved.
#[derive(Debug)]
pub struct Proved {
    name: OperatorName,
    key: Key,
    hash: String,
}

impl Engine {
    /// Proves that somebody knows the password of their own login.
    pub async fn prove(&self, who: &Who, present: Password) -> Result<Proved, Refusal> {
        let proved = self.proved(who, present).await;
        if let Err(refusal) = &proved {
            self.record(who, ACTION, "", Some(refusal)).await;
        }
        proved
    }

    async fn proved(&self, who: &Who, present: Password) -> Result<Proved, Refusal> {
        let (name, key) = who.own_login()?;
        let asked = name.clone();
        let hash = self
            .read(move |conn| Ok(store::operators::hash(conn, &asked)?))
            .await?;
        match hash {
            Some(hash) if fits(present, Some(hash.clone())).await? => {
                Ok(Proved { name, key, hash })
            }
            _ => Err(wrong()),
        }
    }

    /// Gives somebody another password. Their other logins end, this one stays.
    pub async fn change_password(
        &self,
        who: &Who,
        Proved { name, key, hash }: Proved,
        new: Password,
    ) -> Result<(), Refusal> {
        let attempt = Attempt::new(who, ACTION, "");
        let done = async {
            acceptable(&name, &new)?;
            let new = kept(new).await?;
            self.work(move |turn| {
                // Meanwhile an administrator may have given them another.
                if store::operators::hash(turn.tx, &name)? != Some(hash) {
                    return Err(wrong());
                }
                store::operators::set_hash(turn.tx, &name, &new)?;
                store::operators::end_others(turn.tx, &name, &key.hash())?;
                attempt.write(turn.tx, turn.now, None)?;
                // The list of operators says how many logins are open.
                turn.tell(Update::Plans);
                Ok(())
            })
            .await
        };
        let done = done.await;
        match &done {
            Ok(()) => self.logins_changed(),
            Err(refusal) => self.record(who, ACTION, "", Some(refusal)).await,
        }
        done
    }
}

fn wrong() -> Refusal {
    Refusal::invalid("present", "The present password is wrong.")
        .next("Try again. An administrator can give you a new password.")
}
