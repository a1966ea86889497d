//! Commands by somebody: judged by their role, done, and written down, in one transaction with what
//! they change. What was refused is written down by itself.

use super::ask::Engine;
use super::commands;
use crate::store::deeds::{self, New};
use crate::store::{Connection, StoreError};
use crate::who::{Who, rules, words};
use wire::Millis;
use wire::command::{Command, Receipt};
use wire::operator::{Door, Role};
use wire::query::{Answer, Query, Tried};
use wire::refusal::{Code, Refusal};
use wire::request::Question;

/// What somebody is about to do.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    who: String,
    door: Door,
    origin: String,
    action: String,
    subject: String,
}

impl Attempt {
    pub(super) fn new(who: &Who, action: &str, subject: &str) -> Self {
        Self {
            who: words::plain(&who.name),
            door: who.door,
            origin: words::plain(&who.origin),
            action: action.to_owned(),
            subject: subject.to_owned(),
        }
    }

    /// Writes it down; `why` says why it was refused.
    pub(super) fn write(
        &self,
        conn: &Connection,
        now: Millis,
        why: Option<&Refusal>,
    ) -> Result<(), StoreError> {
        let new = New {
            who: &self.who,
            door: self.door,
            origin: &self.origin,
            action: &self.action,
            subject: &self.subject,
            why: why.map(|refusal| refusal.message.as_str()),
        };
        deeds::append(conn, now, &new)
    }
}

impl Engine {
    /// Changes something, as whoever runs this program.
    pub async fn command(&self, command: Command) -> Result<Receipt, Refusal> {
        self.command_by(&Who::here(), command).await
    }

    /// Changes something for somebody.
    pub async fn command_by(&self, who: &Who, command: Command) -> Result<Receipt, Refusal> {
        let (action, subject) = words::of(&command);
        let attempt = Attempt::new(who, &action, &subject);
        let hash = match self.prepared(who, &command).await {
            Ok(hash) => hash,
            Err(refusal) => {
                self.write_down(attempt, Some(refusal.clone())).await;
                return Err(refusal);
            }
        };
        // The file is read, and what is outside the engine told, before anything is written.
        if command == Command::ConfigReload {
            let done = self.reload().await;
            self.write_down(attempt, done.as_ref().err().cloned()).await;
            return done;
        }
        let about_operators = commands::is_about_operators(&command);
        let done = self.at_desk(move |desk| {
            let done = desk.turn(|turn| {
                let receipt = commands::run(turn, command, hash.as_deref())?;
                attempt.write(turn.tx, turn.now, None)?;
                Ok(receipt)
            });
            if let Err(refusal) = &done {
                let written =
                    desk.turn(|turn| Ok(attempt.write(turn.tx, turn.now, Some(refusal))?));
                if let Err(error) = written {
                    tracing::error!(%error, "a refused command could not be written down");
                }
            }
            done
        });
        let done = done.await;
        if about_operators && done.is_ok() {
            self.logins_changed();
        }
        done
    }

    /// What has to be known before a command is done: that it is allowed, by role and by the world
    /// outside, and the hash of a password in it.
    async fn prepared(&self, who: &Who, command: &Command) -> Result<Option<String>, Refusal> {
        who.may(rules::needed(command))?;
        self.first_is_made_here(who, command).await?;
        self.admissible(command).await?;
        super::logins::hash_in(command).await
    }

    /// Refuses to let the token make the first operator: it is for scripts, and whoever has caught it on
    /// its way would become a person of this station with it.
    async fn first_is_made_here(&self, who: &Who, command: &Command) -> Result<(), Refusal> {
        let adds = matches!(command, Command::OperatorAdd { .. });
        if !adds || who.door != Door::Token || self.has_operators().await? {
            return Ok(());
        }
        let text = "The first operator is made on the station's own machine, not with its token.";
        Err(Refusal::new(Code::Forbidden, text).next(
            "Run `punnet operator add NAME --role admin` there, as root, the station's own user or a \
             member of its group.",
        ))
    }

    /// Answers somebody's question.
    pub async fn question_by(&self, who: &Who, question: Question) -> Result<Answer, Refusal> {
        let Question::Ask(query) = question else {
            return self.question(question).await;
        };
        // Looking was allowed by the door, which knows whether somebody unknown may.
        let needed = rules::needed_to_ask(&query);
        if needed != Role::Viewer {
            who.may(needed)?;
        }
        // Whoever is unknown and may look may also try; doing asks who it is.
        if let Query::Try { of } = &*query
            && who.role.is_some()
        {
            let allowed = match who.may(rules::needed(of)) {
                Ok(()) => self.first_is_made_here(who, of).await,
                refused => refused,
            };
            if let Err(refusal) = allowed {
                return Ok(Answer::Try(Tried::Refuse { refusal }));
            }
        }
        match *query {
            Query::Document(kind) => {
                Ok(Answer::Document(self.document_by(who, kind).await?.into()))
            }
            query => self.query(query).await,
        }
    }

    /// Writes down what somebody did, or was refused, outside of commands.
    pub async fn record(&self, who: &Who, action: &str, subject: &str, refused: Option<&Refusal>) {
        let attempt = Attempt::new(who, action, &words::plain(subject));
        self.write_down(attempt, refused.cloned()).await;
    }

    async fn write_down(&self, attempt: Attempt, refused: Option<Refusal>) {
        let written =
            self.work(move |turn| Ok(attempt.write(turn.tx, turn.now, refused.as_ref())?));
        if let Err(error) = written.await {
            tracing::error!(%error, "what was done could not be written down");
        }
    }
}
