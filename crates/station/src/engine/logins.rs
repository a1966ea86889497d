//! Passwords and open logins.
//!
//! A password is compared on a thread that may block, a few at a time, and for a name that nobody has
//! as long as for one that exists. A login is a random key in a browser and the key's hash here; it
//! ends after a time without use, at its latest moment, with a new password and with its operator.

use super::ask::Engine;
use super::deeds::Attempt;
use crate::store;
use crate::who::{Key, Who};
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use std::sync::LazyLock;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use wire::Millis;
use wire::command::Command;
use wire::operator::{Door, LONGEST_PASSWORD, OperatorName, Password, Role, SHORTEST_PASSWORD};
use wire::refusal::{Code, Refusal};

/// Passwords that are hashed at once: each takes 19 MiB and a processor for a moment.
static HASHING: Semaphore = Semaphore::const_new(2);
/// A hash for names that nobody has, so that their logins take as long.
static NOBODY: LazyLock<String> =
    LazyLock::new(|| hashed("nobody has this name").unwrap_or_default());
/// A login that is in use is noted this often, in milliseconds.
const TOUCH_MS: i64 = 60_000;

/// A login that was opened.
#[derive(Debug)]
pub struct Opened {
    /// Whose.
    pub who: Who,
    /// What the browser keeps.
    pub key: Key,
    /// When it ends at the latest.
    pub until: Millis,
}

impl Engine {
    /// Is there anybody who can log in?
    pub async fn has_operators(&self) -> Result<bool, Refusal> {
        self.read(|conn| Ok(store::operators::any(conn)?)).await
    }

    /// Opens a login, for `longest` at most.
    pub async fn log_in(
        &self,
        name: &str,
        password: Password,
        origin: &str,
        longest: Duration,
    ) -> Result<Opened, Refusal> {
        let name = name.parse::<OperatorName>().ok();
        let known = match name.clone() {
            Some(name) => {
                self.read(move |conn| Ok(store::operators::hash(conn, &name)?))
                    .await?
            }
            None => None,
        };
        let fits = fits(password, known.clone()).await?;
        let mut who = Who {
            // People type passwords where a name belongs; what no operator is called is not kept.
            name: match (&name, &known) {
                (Some(name), Some(_)) => name.to_string(),
                _ => "?".to_owned(),
            },
            door: Door::Login,
            ..Who::nobody(origin.to_owned())
        };
        let (Some(name), Some(hash), true) = (name, known, fits) else {
            let refusal = wrong();
            self.record(&who, "login", "", Some(&refusal)).await;
            return Err(refusal);
        };
        let key = Key::random()?;
        let (stored, origin) = (key.hash(), origin.to_owned());
        let attempt = Attempt::new(&who, "login", "");
        let (role, until) = self
            .work(move |turn| {
                // Meanwhile the operator may have got another password, or be gone.
                let still = store::operators::hash(turn.tx, &name)? == Some(hash);
                let operator = store::operators::get(turn.tx, &name, turn.now)?;
                let Some(operator) = operator.filter(|_| still) else {
                    return Err(wrong());
                };
                let until = turn.now.plus(millis(longest));
                store::operators::begin(turn.tx, &stored, &name, &origin, turn.now, until)?;
                attempt.write(turn.tx, turn.now, None)?;
                Ok((operator.role, until))
            })
            .await?;
        who.role = Some(role);
        who.login = Some(key.clone());
        Ok(Opened { who, key, until })
    }

    /// Who holds a key, while the login is open, and until when it is at the latest. It ends when it
    /// was not used for `idle`.
    pub async fn who_holds(
        &self,
        key: &Key,
        origin: &str,
        idle: Duration,
    ) -> Result<Option<(Who, Millis)>, Refusal> {
        let (hash, now) = (key.hash(), self.now());
        let found = self
            .read({
                let hash = hash.clone();
                move |conn| Ok(store::operators::login(conn, &hash, now)?)
            })
            .await?;
        let Some(login) = found.filter(|login| now.since(login.last_used) < millis(idle)) else {
            return Ok(None);
        };
        if now.since(login.last_used) >= TOUCH_MS.min(millis(idle) / 2) {
            self.work(move |turn| Ok(store::operators::touch(turn.tx, &hash, turn.now)?))
                .await?;
        }
        let who = Who {
            name: login.name.to_string(),
            role: Some(login.role).filter(|role| *role != Role::Unknown),
            door: Door::Login,
            origin: origin.to_owned(),
            login: Some(key.clone()),
        };
        Ok(Some((who, login.until)))
    }

    /// Ends a login.
    pub async fn log_out(&self, who: &Who) -> Result<(), Refusal> {
        let Some(key) = &who.login else {
            return Ok(());
        };
        let (hash, attempt) = (key.hash(), Attempt::new(who, "logout", ""));
        self.work(move |turn| {
            store::operators::end(turn.tx, &hash)?;
            Ok(attempt.write(turn.tx, turn.now, None)?)
        })
        .await?;
        self.logins_changed();
        Ok(())
    }

    /// Changes whenever a login may have ended before its time, or may do something else.
    pub fn logins(&self) -> watch::Receiver<u64> {
        self.logins_line().subscribe()
    }

    pub(super) fn logins_changed(&self) {
        self.logins_line().send_modify(|times| *times += 1);
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn wrong() -> Refusal {
    Refusal::new(Code::LoginNeeded, "The name or the password is wrong.")
        .next("Try again. An administrator can give you a new password.")
}

/// Refuses a password that is too easily guessed.
pub(super) fn acceptable(name: &OperatorName, password: &Password) -> Result<(), Refusal> {
    let text = password.reveal();
    if text.chars().count() < SHORTEST_PASSWORD {
        let message = format!("A password has at least {SHORTEST_PASSWORD} characters.");
        return Err(Refusal::invalid("password", message)
            .next("A few words one after the other are easily remembered."));
    }
    if text.len() > LONGEST_PASSWORD {
        let message = format!("A password has at most {LONGEST_PASSWORD} bytes.");
        return Err(Refusal::invalid("password", message));
    }
    if text.to_lowercase().contains(name.as_str()) && text.chars().count() < 2 * SHORTEST_PASSWORD {
        let message = "The password contains the name, which is guessed first.";
        return Err(Refusal::invalid("password", message).next("Choose another."));
    }
    Ok(())
}

/// The hash of the password in a command, when there is an acceptable one.
pub(super) async fn hash_in(command: &Command) -> Result<Option<String>, Refusal> {
    let (Command::OperatorAdd { name, password, .. }
    | Command::OperatorPassword { name, password }) = command
    else {
        return Ok(None);
    };
    if acceptable(name, password).is_err() {
        // Whoever does the command says so.
        return Ok(None);
    }
    kept(password.clone()).await.map(Some)
}

/// The hash that is kept of a password.
pub(super) async fn kept(password: Password) -> Result<String, Refusal> {
    let hash = apart(move || hashed(password.reveal())).await?;
    hash.map_err(|why| Refusal::internal(format!("The password cannot be kept: {why}.")))
}

fn hashed(password: &str) -> Result<String, argon2::password_hash::Error> {
    let hash = Argon2::default().hash_password(password.as_bytes())?;
    Ok(hash.to_string())
}

/// Does a password fit a hash?
pub(super) async fn fits(password: Password, hash: Option<String>) -> Result<bool, Refusal> {
    if password.reveal().len() > LONGEST_PASSWORD {
        return Ok(false);
    }
    apart(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.clone());
        let fits = Argon2::default().verify_password(password.reveal().as_bytes(), hash.as_str());
        fits.is_ok() && known
    })
    .await
}

async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    let broken = || Refusal::internal("A password could not be looked at.");
    let _turn = HASHING.acquire().await.map_err(|_| broken())?;
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| broken())
}
