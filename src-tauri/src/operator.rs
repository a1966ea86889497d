//! `punnet operator` and `punnet deeds`: who may log in, and who did what.
//!
//! These go through the Unix socket or the data folder, so the first administrator is made by whoever
//! has the station's machine. A password is asked for without showing it, or read from standard input;
//! never from an argument, where every user of the machine could see it.

use crate::desk::{Desk, Work, unexpected};
use crate::print::{Table, or_dash, time};
use crate::trouble::Trouble;
use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use std::io::{self, IsTerminal as _, Read as _};
use wire::command::{Command, Receipt};
use wire::operator::{
    Deed, DeedFilter, DeedOutcome, LONGEST_PASSWORD, Operator, OperatorName, Password,
};
use wire::query::{Answer, Query};

/// Verbs of operators.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Verb {
    /// Let somebody log in. The password is asked for, or read from standard input.
    Add {
        /// The name to log in with.
        name: OperatorName,
        /// What the operator may do.
        #[arg(long, value_enum, default_value = "operator")]
        role: Role,
    },
    /// Give an operator another password; open logins end.
    Passwd {
        /// Which.
        name: OperatorName,
    },
    /// Show all operators.
    List,
    /// Change what an operator may do.
    Role {
        /// Which.
        name: OperatorName,
        /// From now on.
        role: Role,
    },
    /// Let an operator log in no more, for now.
    Disable {
        /// Which.
        name: OperatorName,
    },
    /// Let an operator log in again.
    Enable {
        /// Which.
        name: OperatorName,
    },
    /// Forget an operator. What the operator did stays on the record.
    Remove {
        /// Which.
        name: OperatorName,
    },
}

/// The roles, as they are typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Role {
    /// Looks.
    Viewer,
    /// Works.
    Operator,
    /// Also decides who works here, and about the station itself.
    Admin,
}

impl From<Role> for wire::operator::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Operator => Self::Operator,
            Role::Admin => Self::Admin,
        }
    }
}

/// The record of who did what.
#[derive(Debug, Clone, Args)]
pub(crate) struct Deeds {
    /// Of this person.
    #[arg(long)]
    who: Option<String>,
    /// Only what was refused.
    #[arg(long)]
    refused: bool,
    /// Containing this text.
    #[arg(long)]
    text: Option<String>,
    /// At most this many, the newest.
    #[arg(long, default_value = "100")]
    limit: u32,
}

/// Does a verb of operators.
pub(crate) fn run(verb: &Verb) -> impl Work + use<> {
    let verb = verb.clone();
    async move |desk: &Desk| {
        let command = match verb {
            Verb::List => return list(desk).await,
            Verb::Add { name, role } => Command::OperatorAdd {
                password: password(&name)?,
                name,
                role: role.into(),
            },
            Verb::Passwd { name } => Command::OperatorPassword {
                password: password(&name)?,
                name,
            },
            Verb::Role { name, role } => Command::OperatorRole {
                name,
                role: role.into(),
            },
            Verb::Disable { name } => Command::OperatorDisable {
                name,
                disabled: true,
            },
            Verb::Enable { name } => Command::OperatorDisable {
                name,
                disabled: false,
            },
            Verb::Remove { name } => {
                desk.sure(&format!("{name} will not be able to log in any more."))?;
                Command::OperatorRemove { name }
            }
        };
        desk.change(command, |receipt| match receipt {
            Receipt::Operator(operator) => line(operator),
            Receipt::Done { text } => text.clone(),
            other => format!("{other:?}"),
        })
        .await
    }
}

async fn list(desk: &Desk) -> Result<(), Trouble> {
    let Answer::Operators(operators) = desk.query(Query::Operators).await? else {
        return Err(unexpected());
    };
    desk.say(&operators, |operators| {
        let mut table = Table::new(
            &["name", "role", "logged in", "last login", ""],
            "Nobody can log in. Make the first administrator: punnet operator add NAME --role admin",
        );
        for operator in operators {
            table.row([
                operator.name.to_string(),
                operator.role.as_str().to_owned(),
                operator.sessions.to_string(),
                or_dash(operator.last_login.map(time)),
                if operator.disabled { "disabled" } else { "" }.to_owned(),
            ]);
        }
        table.to_string()
    })
}

fn line(operator: &Operator) -> String {
    let Operator { name, role, .. } = operator;
    let role = role.as_str();
    if operator.disabled {
        format!("{name} ({role}) may not log in.")
    } else {
        format!("{name} may log in as {role}.")
    }
}

/// Asks for a password twice, or reads it from standard input up to the end of its first line.
fn password(name: &OperatorName) -> Result<Password, Trouble> {
    if !io::stdin().is_terminal() {
        let mut text = String::new();
        let most = u64::try_from(LONGEST_PASSWORD + 3).unwrap_or(u64::MAX);
        io::stdin()
            .take(most)
            .read_to_string(&mut text)
            .context("the password cannot be read from standard input")
            .map_err(Trouble::Failed)?;
        return Ok(Password::new(text.lines().next().unwrap_or_default()));
    }
    let ask = |what: &str| {
        rpassword::prompt_password(what)
            .context("the password cannot be read from the terminal")
            .map_err(Trouble::Failed)
    };
    let first = ask(&format!("Password for {name}: "))?;
    if ask("The same again: ")? != first {
        return Err(Trouble::words(
            "the two passwords differ; nothing was changed",
        ));
    }
    Ok(Password::new(first))
}

/// Shows the record.
pub(crate) fn deeds(wanted: &Deeds) -> impl Work + use<> {
    let wanted = wanted.clone();
    async move |desk: &Desk| {
        let filter = DeedFilter {
            who: wanted.who,
            outcome: wanted.refused.then_some(DeedOutcome::Refused),
            text: wanted.text,
            before: None,
            limit: wanted.limit,
        };
        let Answer::Deeds(deeds) = desk.query(Query::Deeds(filter)).await? else {
            return Err(unexpected());
        };
        desk.say(&deeds, |deeds| table(deeds))
    }
}

fn table(deeds: &[Deed]) -> String {
    let mut table = Table::new(
        &["when", "who", "from", "what", "", ""],
        "Nothing is on the record yet.",
    );
    for deed in deeds {
        table.row([
            time(deed.at),
            deed.who.clone(),
            format!("{} ({})", deed.origin, deed.door.as_str()),
            format!("{} {}", deed.action, deed.subject)
                .trim()
                .to_owned(),
            deed.outcome.as_str().to_owned(),
            deed.why.clone().unwrap_or_default(),
        ]);
    }
    table.to_string()
}
