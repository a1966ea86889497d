//! A turn: one piece of work at the bench, inside one transaction.
//!
//! Work reads the bench and the plans as they were at the last commit, and changes a *draft*: copies
//! of the seats it touches, events, updates, effects. [`Turn::settle`] writes the draft into the
//! transaction; after the commit the desk takes it over. Refused work drops the draft, and nothing
//! has happened.

use super::config::Config;
use super::effect::Effect;
use super::noticed::Noticed;
use super::packs;
use super::plans::Plans;
use super::pools;
use super::watch::Published;
use crate::batches::machine::Act;
use crate::batches::places;
use crate::bench::attempt::Attempt;
use crate::bench::boards::Bench;
use crate::bench::identity;
use crate::bench::seat::{NO_MAC, Seat};
use crate::bench::stages::{self, Heard, Note};
use crate::store::Connection;
use crate::store::events::About;
use crate::store::{self, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use wire::batch::{Batch, BatchId, BatchState};
use wire::board::Mac;
use wire::event::Event;
use wire::image::Image;
use wire::refusal::Refusal;
use wire::settings::Preferences;
use wire::update::Update;
use wire::{BoardId, Millis};

/// One piece of work under way.
pub(super) struct Turn<'a> {
    /// The open transaction.
    pub(super) tx: &'a Connection,
    /// The moment of this turn.
    pub(super) now: Millis,
    /// The bench as of the last commit.
    pub(super) bench: &'a Bench,
    /// The plans as of the last commit.
    pub(super) plans: &'a Plans,
    /// How the engine is set.
    pub(super) config: &'a mut Config,
    /// The state as the world sees it.
    pub(super) published: &'a Published,
    /// What was noticed in this run.
    pub(super) noticed: &'a mut Noticed,
    preferences: Option<Preferences>,
    draft: Draft,
}

/// Does what is on the record change products, venues or names? Whatever changes them is noted under
/// one of these kinds.
fn changes_plans(event: &Event) -> bool {
    let (noun, _) = event.kind.split_once('.').unwrap_or((&event.kind, ""));
    matches!(noun, "product" | "venue" | "name" | "names" | "batch")
        || matches!(event.kind.as_str(), "board.released" | "image.activated")
}

/// What a turn changes.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Seats as they are now; `None` for those that left.
    pub(super) seats: BTreeMap<BoardId, Option<Seat>>,
    /// Addresses given.
    pub(super) given: Vec<(Ipv4Addr, Mac)>,
    /// Addresses given by DHCP.
    pub(super) leased: Vec<(Ipv4Addr, Mac)>,
    /// Other changes to be published.
    pub(super) updates: Vec<Update>,
    /// Events appended.
    pub(super) events: Vec<Event>,
    /// What others are to do.
    pub(super) effects: Vec<Effect>,
    /// Batches as they are now.
    pub(super) batches: Vec<Batch>,
    /// The images, when any changed.
    pub(super) images: Option<Vec<Image>>,
    touched: BTreeSet<BatchId>,
    reordered: bool,
    images_touched: bool,
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        tx: &'a Connection,
        now: Millis,
        bench: &'a Bench,
        plans: &'a Plans,
        config: &'a mut Config,
        published: &'a Published,
        noticed: &'a mut Noticed,
    ) -> Self {
        Self {
            tx,
            now,
            bench,
            plans,
            config,
            published,
            noticed,
            preferences: None,
            draft: Draft::default(),
        }
    }

    /// A board of the bench as this turn has left it so far.
    pub(super) fn seat(&self, id: BoardId) -> Option<&Seat> {
        match self.draft.seats.get(&id) {
            Some(drafted) => drafted.as_ref(),
            None => self.bench.seat(id),
        }
    }

    /// The same, to be changed.
    pub(super) fn seat_mut(&mut self, id: BoardId) -> Option<&mut Seat> {
        let bench = self.bench;
        let drafted = self.draft.seats.entry(id);
        drafted.or_insert_with(|| bench.seat(id).cloned()).as_mut()
    }

    /// The same, or a refusal.
    pub(super) fn known(&mut self, id: BoardId) -> Result<&mut Seat, Refusal> {
        let refusal = Refusal::not_found(format!("There is no board {id} on the bench."))
            .at("board")
            .next("Look at the list of boards for its id.");
        self.seat_mut(id).ok_or(refusal)
    }

    /// Brings a board that left the bench back to it, if it was ever there.
    pub(super) fn fetch(&mut self, id: BoardId) -> Result<bool, StoreError> {
        if self.seat(id).is_some() {
            return Ok(true);
        }
        let found = store::boards::get(self.tx, id)?;
        let known = found.is_some();
        if known {
            self.draft.seats.insert(id, found);
        }
        Ok(known)
    }

    /// Makes sure that a board has a seat; a new one may push the quietest made-up board out.
    pub(super) fn welcome(&mut self, id: BoardId, mac: Mac) -> Result<(), StoreError> {
        let stranger = identity::is_provisional(id);
        if !self.fetch(id)? {
            if let Some(oldest) = self.bench.makes_room(stranger) {
                self.dismiss(oldest)?;
            }
            let mut seat = Seat::new(id, mac, self.now);
            seat.stored = !stranger;
            seat.tile.rehearsal = self.config.rehearsal;
            if seat.stored {
                store::boards::put(self.tx, &seat)?;
            }
            self.draft.seats.insert(id, Some(seat));
        }
        if let Some(seat) = self.seat_mut(id)
            && seat.tile.mac == NO_MAC
        {
            seat.tile.mac = mac;
            seat.learn_mac(mac);
        }
        Ok(())
    }

    /// Takes a board off the bench; what there is to remember stays in the store.
    pub(super) fn dismiss(&mut self, id: BoardId) -> Result<(), StoreError> {
        if let Some(seat) = self.seat(id)
            && seat.stored
        {
            store::boards::put(self.tx, seat)?;
            store::boards::leave(self.tx, id)?;
            store::boards::forget(self.tx, id)?;
        }
        self.draft.seats.insert(id, None);
        Ok(())
    }

    /// Tells a board's seat what was heard, and writes down what follows for its deployment.
    pub(super) fn hear(&mut self, id: BoardId, heard: Heard) -> Result<(), StoreError> {
        let error = match &heard {
            Heard::Failed(f) => Some(format!("{}. {}", f.what.trim_end_matches('.'), f.next)),
            Heard::Cancelled { why } => Some(why.clone()),
            Heard::Restarted => Some("restarted: the board was started again".to_owned()),
            _ => None,
        };
        let now = self.now;
        let Some(seat) = self.seat_mut(id) else {
            return Ok(());
        };
        let before = seat.last.clone();
        let notes = stages::hear(seat, heard, now);
        let after = seat.last.clone();
        self.write(before.as_ref(), after.as_ref(), error.as_deref())?;
        for note in notes {
            self.note(&self.about(id), note)?;
        }
        Ok(())
    }

    /// Writes what changed in a board's deployment since `before`.
    pub(super) fn write(
        &mut self,
        before: Option<&Attempt>,
        after: Option<&Attempt>,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        let Some(after) = after else { return Ok(()) };
        let seat = self.seat(after.board);
        match before.filter(|b| b.id == after.id) {
            None => {
                let way = seat.map(|seat| seat.way.as_slice()).unwrap_or_default();
                store::deployments::add(self.tx, after, way)?;
            }
            Some(before) if before == after => return Ok(()),
            Some(before) => {
                store::deployments::update(self.tx, after, error)?;
                if before.stage != after.stage {
                    let detail = seat.and_then(|seat| seat.tile.detail.as_deref());
                    let (id, stage) = (&after.id, after.stage);
                    store::deployments::step(self.tx, id, stage, self.now, detail)?;
                }
                let curve = seat.map(|seat| &seat.curve);
                if let Some(curve) = curve.filter(|_| before.is_open() && !after.is_open()) {
                    store::deployments::set_curve(self.tx, &after.id, curve)?;
                }
            }
        }
        self.touch(after.batch);
        Ok(())
    }

    /// What an event of this board is about.
    pub(super) fn about(&self, id: BoardId) -> About {
        let tile = self.seat(id).map(|s| &s.tile);
        About {
            board: Some(id),
            deployment: tile.and_then(|t| t.deployment.clone()),
            batch: tile.and_then(|t| t.batch),
        }
    }

    /// Appends an event.
    pub(super) fn note(&mut self, about: &About, note: Note) -> Result<(), StoreError> {
        let Note { level, kind, text } = note;
        let event = store::events::append(self.tx, self.now, level, about, kind, &text)?;
        self.draft.events.push(event);
        Ok(())
    }

    /// Appends an event unless the same about the same was told within `every_ms`.
    pub(super) fn note_seldom(
        &mut self,
        about: &About,
        whom: String,
        every_ms: i64,
        note: Note,
    ) -> Result<(), StoreError> {
        if self
            .noticed
            .seldom
            .is_due(note.kind, whom, every_ms, self.now)
        {
            self.note(about, note)?;
        }
        Ok(())
    }

    /// An address was given.
    pub(super) fn give(&mut self, ip: Ipv4Addr, mac: Mac) {
        self.draft.given.push((ip, mac));
    }

    /// An address was given by DHCP.
    pub(super) fn lease(&mut self, ip: Ipv4Addr, mac: Mac) {
        self.give(ip, mac);
        self.draft.leased.push((ip, mac));
    }

    /// Who has an address, this turn included.
    pub(super) fn holder(&self, ip: Ipv4Addr) -> Option<Mac> {
        let given = self
            .draft
            .given
            .iter()
            .rev()
            .find(|(given, _)| *given == ip);
        given.map_or_else(|| self.bench.holder(ip), |(_, mac)| Some(*mac))
    }

    /// The board that spoke with an address, on the bench or not.
    pub(super) fn board_of(&self, mac: Mac) -> Result<Option<BoardId>, StoreError> {
        let drafted = self.draft.seats.values().flatten();
        if let Some(seat) = drafted.into_iter().find(|s| s.macs.contains(&mac)) {
            return Ok(Some(seat.tile.id));
        }
        match self.bench.by_mac(mac).filter(|id| self.seat(*id).is_some()) {
            Some(id) => Ok(Some(id)),
            None => store::boards::by_mac(self.tx, mac),
        }
    }

    /// Publishes a change that is neither a board, a batch nor the images.
    pub(super) fn tell(&mut self, update: Update) {
        self.draft.updates.push(update);
    }

    /// Has something done outside, after the commit.
    pub(super) fn effect(&mut self, effect: Effect) {
        self.draft.effects.push(effect);
    }

    /// A batch's row or counters changed.
    pub(super) fn touch(&mut self, batch: BatchId) {
        self.draft.touched.insert(batch);
    }

    /// The order of the batches changed.
    pub(super) fn reorder(&mut self) {
        self.draft.reordered = true;
    }

    /// An image's row changed.
    pub(super) fn touch_images(&mut self) {
        self.draft.images_touched = true;
    }

    /// Writes the draft into the transaction.
    pub(super) fn settle(mut self) -> Result<Draft, StoreError> {
        self.fulfil()?;
        let plans_changed = self.draft.events.iter().any(changes_plans);
        if plans_changed || self.preferences.is_some() {
            self.watch_pools()?;
        }
        if plans_changed {
            self.tell(Update::Plans);
        }
        for (id, seat) in &self.draft.seats {
            if let Some(seat) = seat
                && seat.stored
                && self.bench.seat(*id).is_none_or(|old| !seat.keeps_as(old))
            {
                store::boards::put(self.tx, seat)?;
            }
        }
        let mut draft = self.draft;
        if draft.reordered {
            draft.batches = store::batches::all(self.tx)?;
        } else {
            for id in &draft.touched {
                draft.batches.extend(store::batches::get(self.tx, *id)?);
            }
        }
        if draft.images_touched {
            let images = store::images::all(self.tx)?;
            draft.images = Some(packs::marked(images, &self.config.pack_faults));
        }
        Ok(draft)
    }

    /// Warns of pools that this turn leaves low.
    fn watch_pools(&mut self) -> Result<(), StoreError> {
        let least = self.preferences().names_low;
        pools::watch(self, least)
    }

    /// The preferences as this turn leaves them.
    pub(super) fn preferences(&self) -> Preferences {
        let before = || self.published.read(|snapshot| snapshot.preferences.clone());
        self.preferences.clone().unwrap_or_else(before)
    }

    /// Sets the preferences.
    pub(super) fn set_preferences(&mut self, preferences: Preferences) -> Result<(), StoreError> {
        store::settings::set_preferences(self.tx, &preferences)?;
        self.tell(Update::Preferences(preferences.clone()));
        self.preferences = Some(preferences);
        Ok(())
    }

    /// A batch that has as many boards done as were planned is complete; what it still had reserved
    /// is free again.
    fn fulfil(&mut self) -> Result<(), StoreError> {
        for id in self.draft.touched.clone() {
            let Some(batch) = store::batches::get(self.tx, id)? else {
                continue;
            };
            let taking = matches!(batch.state, BatchState::Active | BatchState::Paused);
            if !taking || !places::fulfilled(&batch.counters) {
                continue;
            }
            if let Ok(state) = Act::Fulfil.on(batch.state) {
                store::batches::set_state(self.tx, id, state, self.now)?;
                store::names::unreserve(self.tx, id, self.now)?;
                self.reorder();
                let text = format!(
                    "Batch {id} is complete: {} {} boards for {} are done.",
                    batch.counters.done, batch.plan.product, batch.plan.venue
                );
                let about = About {
                    batch: Some(id),
                    ..About::default()
                };
                self.note(&about, Note::info("batch.completed", text))?;
            }
        }
        Ok(())
    }
}
