//! What is planned, as of the last commit: batches, images, products. Read by every check-in, so it
//! is kept at hand instead of read from the database each time.

use crate::batches::machine;
use crate::bench::admission::Candidate;
use crate::bench::seat::Seat;
use crate::store::Connection;
use crate::store::{self, StoreError};
use wire::batch::{Batch, BatchId, BatchPlan};
use wire::image::Image;

/// The plans.
#[derive(Debug, Default)]
pub(super) struct Plans {
    /// All batches: open ones by rank, then ended ones.
    pub(super) batches: Vec<Batch>,
    /// The images of the library.
    pub(super) images: Vec<Image>,
}

impl Plans {
    pub(super) fn load(conn: &Connection) -> Result<Self, StoreError> {
        Ok(Self {
            batches: store::batches::all(conn)?,
            images: store::images::all(conn)?,
        })
    }

    pub(super) fn batch(&self, id: BatchId) -> Option<&Batch> {
        self.batches.iter().find(|b| b.id == id)
    }

    /// The image that a plan writes: the pinned one, else its product's active one.
    pub(super) fn image_of(&self, plan: &BatchPlan) -> Option<&Image> {
        let wanted = |i: &&Image| match plan.image {
            Some(id) => i.id == id,
            None => i.active && i.product == plan.product,
        };
        self.images.iter().find(wanted)
    }

    /// The batches that might take a board: open ones by rank, then the one (`home`) that its name
    /// comes from, when that has ended.
    pub(super) fn candidates(&self, seat: &Seat, home: Option<BatchId>) -> Vec<Candidate<'_>> {
        let asked = |b: &&Batch| machine::is_open(b.state) || Some(b.id) == home;
        let last = seat.last.as_ref().filter(|a| !a.given_up);
        let batches = self.batches.iter().filter(asked);
        batches
            .map(|batch| Candidate {
                batch,
                image: self.image_of(&batch.plan),
                place: last.is_some_and(|a| a.batch == batch.id),
            })
            .collect()
    }

    /// Takes over batches as they are now and keeps their order. Returns those that changed.
    pub(super) fn take(&mut self, new: Vec<Batch>) -> Vec<Batch> {
        let mut changed = Vec::new();
        for batch in new {
            match self.batches.iter_mut().find(|b| b.id == batch.id) {
                Some(old) if *old == batch => continue,
                Some(old) => *old = batch.clone(),
                None => self.batches.push(batch.clone()),
            }
            changed.push(batch);
        }
        self.batches.sort_by_key(Batch::place);
        changed
    }
}
