//! What tests of boards need: a board, and servers to boot it from.

mod boot;
mod door;
mod files;
mod operator;
mod station;

pub(crate) use boot::Boot;
pub(crate) use files::initramfs;
pub(crate) use station::Station;

use crate::chance::Chance;
use crate::identity::Identity;
use crate::model::Model;

/// Board number `index` of a model.
pub(crate) fn board(model: Model, index: u64) -> Identity {
    Identity::draw(model, &mut Chance::new(index, 0xb0))
}
