//! Who asks for something, through whichever door: the name for the record, and the role that says
//! what is allowed.
//!
//! The doors find out who it is; the engine goes by it, so that every command through any door is
//! judged and recorded in one place. [`rules`] says what each command and question needs, [`words`]
//! how a command looks on the record.

pub mod rules;
pub mod words;

use sha2::{Digest as _, Sha256};
use wire::Refusal;
use wire::operator::{Door, OperatorName, Role};
use wire::refusal::Code;

/// Somebody, or nobody known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The name; empty for nobody known.
    pub name: String,
    /// What is allowed; nothing for nobody known.
    pub role: Option<Role>,
    /// How it is known who this is.
    pub door: Door,
    /// From where: an address, or words.
    pub origin: String,
    /// The open login.
    pub login: Option<Key>,
}

impl Who {
    /// Whoever runs this very program.
    pub fn here() -> Self {
        let uid = nix::unistd::geteuid();
        Self {
            name: user_name(uid.as_raw()),
            role: Some(Role::Admin),
            door: Door::Here,
            origin: "this machine".to_owned(),
            login: None,
        }
    }

    /// Whoever runs this very program; behind sudo the user who asked for it, who is to be known for
    /// what only root can do.
    pub fn caller() -> Self {
        let mut who = Self::here();
        let asked = std::env::var("SUDO_UID").ok();
        if let Some(uid) = asked.and_then(|uid| uid.parse().ok())
            && nix::unistd::geteuid().is_root()
        {
            who.name = user_name(uid);
            "this machine, by sudo".clone_into(&mut who.origin);
        }
        who
    }

    /// Nobody known.
    pub fn nobody(origin: String) -> Self {
        Self {
            name: String::new(),
            role: None,
            door: Door::Nobody,
            origin,
            login: None,
        }
    }

    /// Refuses when this is less than is needed.
    pub fn may(&self, needed: Role) -> Result<(), Refusal> {
        match self.role {
            Some(role) if role.covers(needed) => Ok(()),
            Some(role) => Err(too_little(role, needed)),
            None => Err(unknown()),
        }
    }

    /// The operator whose login this is, and its key. Whoever is known in another way has no password.
    pub fn own_login(&self) -> Result<(OperatorName, Key), Refusal> {
        let known = self.name.parse().ok().zip(self.login.clone());
        known.ok_or_else(|| {
            let text = match self.door {
                Door::Token => "A token has no password.",
                Door::Here | Door::Socket => {
                    "This machine says who you are, so you have no password here."
                }
                Door::Login | Door::Nobody | Door::Unknown => "Only a login has a password.",
            };
            Refusal::conflict(text).next(
                "Log in on the page to change your own, or give an operator a new one with `punnet \
                 operator passwd`.",
            )
        })
    }
}

/// The refusal of somebody who would have to be known first.
pub fn unknown() -> Refusal {
    Refusal::new(
        Code::LoginNeeded,
        "The station wants to know who is asking.",
    )
    .next(
        "Log in on the page. A script sends a token as `Authorization: Bearer …`: that of \
         viewer.token in the data folder to look, that of operator.token to change something.",
    )
}

fn too_little(role: Role, needed: Role) -> Refusal {
    let text = match role {
        Role::Viewer => "A viewer may look, and change nothing.",
        Role::Operator => "This is for administrators of the station.",
        Role::Admin | Role::Unknown => "Your role does not allow this.",
    };
    Refusal::new(Code::Forbidden, text).next(format!(
        "Ask an administrator of the station for the role {}.",
        needed.as_str()
    ))
}

/// The name of a user of this machine; the number of one who has none.
pub fn user_name(uid: u32) -> String {
    match nix::unistd::User::from_uid(uid.into()) {
        Ok(Some(user)) => user.name,
        _ => format!("uid {uid}"),
    }
}

/// What a browser holds for the time of a login: 256 random bits. The store knows only its hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// A new one.
    pub fn random() -> Result<Self, Refusal> {
        let mut bits = [0; 32];
        getrandom::fill(&mut bits)
            .map_err(|why| Refusal::internal(format!("No random number could be had: {why}.")))?;
        Ok(Self(hex::encode(bits)))
    }

    /// One that a browser sent; nothing for a text that cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let sound = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        sound.then(|| Self(text.to_owned()))
    }

    /// What the browser keeps.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What the store keeps.
    pub fn hash(&self) -> String {
        hex::encode(Sha256::digest(self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_enough_or_the_refusal_says_which_is() {
        let mut who = Who::here();
        assert!(who.may(Role::Admin).is_ok());
        who.role = Some(Role::Viewer);
        assert!(who.may(Role::Viewer).is_ok());
        let refusal = who.may(Role::Operator).unwrap_err();
        assert_eq!(refusal.code, Code::Forbidden);
        assert!(refusal.next.unwrap().contains("operator"));
        let nobody = Who::nobody("192.0.2.1".to_owned());
        assert_eq!(
            nobody.may(Role::Viewer).unwrap_err().code,
            Code::LoginNeeded
        );
    }

    #[test]
    fn a_key_is_long_random_and_not_shown() {
        let (one, other) = (Key::random().unwrap(), Key::random().unwrap());
        assert_ne!(one, other);
        assert_eq!(Key::parse(one.text()), Some(one.clone()));
        assert!(Key::parse("00").is_none() && Key::parse(&"g".repeat(64)).is_none());
        assert_ne!(one.hash(), one.text());
        assert_eq!(format!("{one:?}"), "Key(…)");
    }
}
