//! The self-test, as far as it is the engine's: which image a board would get, and a check-in whose
//! transaction is rolled back.

use super::ask::Engine;
use super::check_in;
use super::desk::Desk;
use super::turn::Turn;
use crate::store::StoreError;
use std::net::Ipv4Addr;
use wire::agent::{CheckIn, Order};
use wire::batch::BatchState;
use wire::refusal::Refusal;
use wire::self_test::SelfTest;
use wire::{ImageId, update::Snapshot};

impl Engine {
    /// Has the servers tested.
    pub(super) async fn self_test(&self) -> Result<SelfTest, Refusal> {
        let image = self.published().read(image);
        self.outside()?.self_test(image).await
    }

    /// What a board would be told that introduces itself so. Nothing is stored, published or done.
    pub(crate) async fn try_check_in(
        &self,
        from: Ipv4Addr,
        introduction: CheckIn,
    ) -> Result<Order, Refusal> {
        self.at_desk(move |desk| desk.try_check_in(from, introduction))
            .await
    }
}

impl Desk {
    fn try_check_in(&mut self, from: Ipv4Addr, introduction: CheckIn) -> Result<Order, Refusal> {
        let now = (self.clock)();
        let (mut config, mut noticed) = (self.config.clone(), self.noticed.clone());
        // It comes by a route of its own, which is as good as a token.
        config.require_token = false;
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
        let order = check_in::run(&mut turn, from, introduction);
        let order = order.and_then(|order| {
            turn.settle()?;
            Ok(order)
        });
        tx.rollback().map_err(StoreError::from)?;
        order
    }
}

/// The image that the next board would get, else any that is active.
fn image(now: &Snapshot) -> Result<ImageId, String> {
    let active = || now.images.iter().filter(|image| image.active);
    let batches = now.batches.iter();
    let taking = batches.filter(|batch| batch.state == BatchState::Active);
    let of_batch = taking.filter_map(|batch| {
        let of_product = active().find(|image| image.product == batch.plan.product);
        batch.plan.image.or(of_product.map(|image| image.id))
    });
    let any = active().map(|image| image.id);
    let first = of_batch.chain(any).next();
    first.ok_or_else(|| "There is no active image, so a board would find no boot files.".to_owned())
}
