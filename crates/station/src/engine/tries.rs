//! What would come of a command: it is done in a transaction that is rolled back, on copies of what
//! the desk keeps in mind. Nothing is stored, published or done outside.

use super::ask::Engine;
use super::commands;
use super::desk::Desk;
use super::turn::Turn;
use crate::store::StoreError;
use wire::command::{Command, Receipt};
use wire::query::Tried;
use wire::refusal::{Code, Refusal};

impl Engine {
    /// Tries a command.
    pub(super) async fn try_out(&self, command: Command) -> Result<Tried, Refusal> {
        match self.admissible(&command).await {
            Ok(()) => self.at_desk(move |desk| desk.try_out(command)).await,
            Err(refusal) => judged(Err(refusal)),
        }
    }
}

impl Desk {
    fn try_out(&mut self, command: Command) -> Result<Tried, Refusal> {
        let now = (self.clock)();
        let (mut config, mut noticed) = (self.config.clone(), self.noticed.clone());
        let tx = self.store.begin()?;
        let mut turn = Turn::new(
            &tx,
            now,
            &self.bench,
            &self.plans,
            &mut config,
            &self.published,
            &mut noticed,
        );
        let receipt = commands::run(&mut turn, command, None);
        let outcome = receipt.and_then(|receipt| {
            turn.settle()?;
            Ok(receipt)
        });
        tx.rollback().map_err(StoreError::from)?;
        judged(outcome)
    }
}

fn judged(outcome: Result<Receipt, Refusal>) -> Result<Tried, Refusal> {
    match outcome {
        Ok(receipt) => Ok(Tried::Do {
            receipt: Box::new(receipt),
        }),
        // A fault of the station says nothing about the command.
        Err(refusal) if matches!(refusal.code, Code::Internal | Code::Unavailable) => Err(refusal),
        Err(refusal) => Ok(Tried::Refuse { refusal }),
    }
}
