//! The handle: what the rest of the station may ask of the engine.

use super::boot_view::{BootClient, BootView};
use super::config::Config;
use super::desk::{self, Clock, Desk, Message};
use super::noticed::Noticed;
use super::plans::Plans;
use super::pools;
use super::reader::Reader;
use super::turn::Turn;
use super::watch::{Published, Watch};
use super::{
    DeviceAssignment, Effect, NewImage, OpenError, Options, check_in, commands, device, hello,
    image, imports, network, report,
};
use crate::bench::boots::BootAnswer;
use crate::outside::{self, Outside};
use crate::store::{self, Store};
use netboot::dhcp::Told;
use netboot::tftp::{TftpEvent, What};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc as queue};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_stream::Stream;
use wire::agent::{Ack, CheckIn, Hello, HelloAck, Order, Report};
use wire::backup::BackupState;
use wire::command::Import;
use wire::device::{ConfigRequest, StatusReply, StatusRequest};
use wire::health::Lease;
use wire::image::Image;
use wire::refusal::{Code, Refusal};
use wire::rehearsal::RehearsalState;
use wire::update::{Snapshot, Update};
use wire::{BoardId, ImageId, Millis};

/// Boards not heard of for this long leave the bench when the station starts: 30 days.
const LEAVES_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// Packets seen that may wait for the engine; a flood beyond is dropped, and progress long before.
const MOST_WAITING: usize = 4096;
const MOST_WAITING_PROGRESS: usize = 256;

/// The engine. Clones are handles to the same one.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    queue: queue::Sender<Message>,
    waiting: Arc<AtomicUsize>,
    reader: Reader,
    published: Arc<Published>,
    boots: Arc<BootView>,
    effects: Mutex<Option<mpsc::UnboundedReceiver<Effect>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    folder: PathBuf,
    clock: Clock,
    /// Counts the times at which logins may have ended.
    logins: watch::Sender<u64>,
    /// The engine of the rehearsal beside this one.
    rehearsal: Mutex<Option<Engine>>,
    /// The world around the engine, while a station runs there.
    outside: Mutex<Option<Arc<dyn Outside>>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("folder", &self.inner.folder)
            .finish_non_exhaustive()
    }
}

fn closing() -> Refusal {
    Refusal::new(Code::Unavailable, "The station is closing.").next("Try again when it is back.")
}

impl Engine {
    /// Opens the data folder and starts the engine: takes the lock, brings the schema up to date,
    /// and seats every board where it was. Boards that were at work stay in their stage, marked as
    /// stalled until they are heard of.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        Self::open_with(options, Arc::new(Millis::now))
    }

    pub(super) fn open_with(options: Options, clock: Clock) -> Result<Self, OpenError> {
        let mut store = Store::open(&options.data_dir)?;
        let read = store.reader()?;
        let tx = store.begin()?;
        store::boards::clear_bench(&tx, clock().plus(-LEAVES_MS))?;
        let plans = Plans::load(&tx)?;
        let on_bench = store::boards::on_bench(&tx)?;
        let mut bench = desk::recover(&tx, on_bench, &plans, clock())?;
        let by_appearance: Vec<BoardId> = bench.by_appearance();
        for lease in store::leases::all(&tx)? {
            bench.lease(lease.ip, lease.mac);
        }
        let preferences = store::settings::preferences(&tx)?;
        let backup = BackupState {
            last: store::settings::last_backup(&tx)?,
            ..BackupState::default()
        };
        let low = pools::low(&tx, preferences.names_low)?;
        let vouched = store::boards::vouched(&tx)?;
        tx.commit().map_err(store::StoreError::from)?;

        let tile = |id: &BoardId| bench.seat(*id).map(|seat| seat.tile.clone());
        let published = Published::new(Snapshot {
            protocol: wire::PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            at: clock(),
            boards: by_appearance.iter().filter_map(tile).collect(),
            batches: plans.batches.clone(),
            images: plans.images.clone(),
            preferences,
            backup,
            is_rehearsal: options.rehearsal,
            ..Snapshot::default()
        });
        let boots = Arc::new(BootView::default());
        boots.refresh(&bench, &plans, None, true);
        let (effects, effects_end) = mpsc::unbounded_channel();
        for mac in vouched {
            // The receiver is in our hands.
            let _ = effects.send(Effect::Vouch(mac));
        }
        let desk = Desk {
            store,
            bench,
            plans,
            config: Config {
                rehearsal: options.rehearsal,
                require_token: true,
                station_url: None,
                rehearsal_models: None,
                rehearsal_run: 0,
                standing: None,
                pack_faults: std::collections::BTreeMap::new(),
                folder: options.data_dir.clone(),
            },
            published: Arc::clone(&published),
            boots: Arc::clone(&boots),
            effects,
            clock: Arc::clone(&clock),
            // What is low since before the start was said then.
            noticed: Noticed {
                low_pools: low.into_keys().collect(),
                ..Noticed::default()
            },
            looked_at_disk: None,
            told: std::collections::HashMap::new(),
            untold: std::collections::BTreeSet::new(),
        };
        let (queue, end) = queue::channel();
        let thread = std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || desk.run(&end))
            .map_err(OpenError::Thread)?;
        let engine = Self {
            inner: Arc::new(Inner {
                queue,
                waiting: Arc::default(),
                reader: Reader::start(read).map_err(OpenError::Thread)?,
                published,
                boots,
                effects: Mutex::new(Some(effects_end)),
                thread: Mutex::new(Some(thread)),
                folder: options.data_dir,
                clock,
                logins: watch::Sender::new(0),
                rehearsal: Mutex::default(),
                outside: Mutex::default(),
            }),
        };
        // Before anything that whoever opened it asks for.
        engine.post(imports::cut_off);
        Ok(engine)
    }

    /// Has a piece of work done and waits for it.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Turn<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.at_desk(|desk| desk.turn(work)).await
    }

    /// Has something done at the desk and waits for it.
    pub(super) async fn at_desk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Desk) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        let message = Message::Work(Box::new(move |desk| {
            let result = work(desk);
            if let Err(refusal) = &result
                && refusal.code == Code::Internal
            {
                tracing::error!(%refusal, "work failed");
            }
            // Whoever asked may have gone.
            let _ = reply.send(result);
        }));
        self.inner.queue.send(message).map_err(|_| closing())?;
        answer.await.unwrap_or_else(|_| {
            Err(
                Refusal::internal("The station broke off; nothing was changed.")
                    .next("Try again, and look into the station's log."),
            )
        })
    }

    /// Has a piece of work done without waiting.
    pub(super) fn post(
        &self,
        work: impl FnOnce(&mut Turn<'_>) -> Result<(), Refusal> + Send + 'static,
    ) {
        self.post_until(work, ());
    }

    /// [`Self::post`], dropping something once the work is done.
    fn post_until(
        &self,
        work: impl FnOnce(&mut Turn<'_>) -> Result<(), Refusal> + Send + 'static,
        until_then: impl Send + 'static,
    ) {
        let message = Message::Work(Box::new(move |desk| {
            if let Err(refusal) = desk.turn(work) {
                tracing::error!(%refusal, "work failed");
            }
            drop(until_then);
        }));
        if self.inner.queue.send(message).is_err() {
            tracing::debug!("the engine has closed");
        }
    }

    /// A full snapshot first, then every change; a reader that falls behind gets a new snapshot.
    /// Ends when the engine closes.
    pub fn watch(&self) -> impl Stream<Item = Update> + Send + Unpin + 'static + use<> {
        Watch::new(Arc::clone(&self.inner.published))
    }

    /// A board introduces itself.
    pub async fn check_in(&self, from: Ipv4Addr, check_in: CheckIn) -> Result<Order, Refusal> {
        self.work(move |turn| check_in::run(turn, from, check_in))
            .await
    }

    /// A board reports.
    pub async fn report(&self, report: Report) -> Result<Ack, Refusal> {
        self.work(|turn| report::run(turn, report)).await
    }

    /// An installed system says that it is up.
    pub async fn hello(&self, hello: Hello) -> Result<HelloAck, Refusal> {
        self.work(move |turn| hello::run(turn, &hello)).await
    }

    /// A foreign installer asks for its name and image. A board that has to wait gets a refusal of
    /// code [`Code::OnHold`] with the reason.
    pub async fn device_config(
        &self,
        from: Ipv4Addr,
        request: ConfigRequest,
    ) -> Result<DeviceAssignment, Refusal> {
        self.work(move |turn| device::config(turn, from, &request))
            .await?
    }

    /// A foreign installer reports.
    pub async fn device_status(
        &self,
        from: Ipv4Addr,
        request: StatusRequest,
    ) -> Result<StatusReply, Refusal> {
        self.work(move |turn| device::status(turn, from, &request))
            .await?
    }

    /// The DHCP server noticed something. Never blocks. It has arrived once everybody sees what came
    /// of it.
    pub fn dhcp(&self, told: impl Into<Told>) {
        let Told { event, on_its_way } = told.into();
        let take = move |turn: &mut Turn<'_>| network::dhcp(turn, event);
        self.seen(MOST_WAITING, take, on_its_way);
    }

    /// The TFTP server noticed something. Never blocks.
    pub fn tftp(&self, event: TftpEvent) {
        // Of progress only the newest counts.
        let most = match event.what {
            What::Progress { .. } => MOST_WAITING_PROGRESS,
            _ => MOST_WAITING,
        };
        self.seen(most, move |turn| network::tftp(turn, event), ());
    }

    fn seen(
        &self,
        most: usize,
        take: impl FnOnce(&mut Turn<'_>) -> Result<(), Refusal> + Send + 'static,
        until_then: impl Send + 'static,
    ) {
        let waiting = Arc::clone(&self.inner.waiting);
        if waiting.fetch_add(1, Ordering::Relaxed) >= most {
            waiting.fetch_sub(1, Ordering::Relaxed);
            tracing::debug!("a packet seen is dropped: the engine is behind");
            return;
        }
        self.post_until(
            move |turn| {
                waiting.fetch_sub(1, Ordering::Relaxed);
                take(turn)
            },
            until_then,
        );
    }

    /// What to serve to a client that asks for a boot file. Instant.
    pub fn boot_answer(&self, who: BootClient) -> BootAnswer {
        self.inner.boots.answer(who)
    }

    /// May whoever asks from this address fetch this pack? It has to show the session that its
    /// check-in opened ([`wire::agent::SESSION_HEADER`]), from its board's own address, for its own
    /// image. Instant.
    pub fn may_fetch(
        &self,
        from: Ipv4Addr,
        session: Option<&str>,
        image: ImageId,
    ) -> Result<(), Refusal> {
        self.inner.boots.may_fetch(from, session, image)
    }

    /// Has DHCP given this address to a board? Instant.
    pub fn has_leased(&self, address: Ipv4Addr) -> bool {
        self.inner.boots.has_leased(address)
    }

    /// An image import is further, or has ended.
    pub fn import_changed(&self, import: Import) {
        self.post(|turn| image::import_changed(turn, import));
    }

    /// An image was imported; from now on it is in the library.
    pub async fn image_imported(&self, new: NewImage) -> Result<Image, Refusal> {
        self.work(move |turn| image::imported(turn, &new)).await
    }

    /// What the engine wants done outside. The first caller gets it; others get a line on which
    /// nothing ever comes.
    pub fn effects(&self) -> mpsc::UnboundedReceiver<Effect> {
        let mut effects = self
            .inner
            .effects
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        effects
            .take()
            .unwrap_or_else(|| mpsc::unbounded_channel().1)
    }

    /// Base URL of the door for boards, told to agents and installed systems.
    pub fn set_station_url(&self, url: String) {
        self.post(|turn| {
            turn.config.station_url = Some(url);
            Ok(())
        });
    }

    /// Must an agent show the token of its network boot? Usually it must; a lab whose boards start
    /// without our boot files turns this off.
    pub fn set_require_token(&self, required: bool) {
        self.post(move |turn| {
            turn.config.require_token = required;
            Ok(())
        });
    }

    /// Somebody can rehearse beside this station, with boards of these models.
    pub fn set_rehearsal_models(&self, models: Vec<String>) {
        self.post(|turn| {
            turn.config.rehearsal_models = Some(models);
            Ok(())
        });
    }

    /// The rehearsal of this number is further, or has ended.
    pub(crate) fn rehearsal_changed(&self, run: u64, state: RehearsalState) {
        self.post(move |turn| {
            commands::rehearsals::changed(turn, run, state);
            Ok(())
        });
    }

    /// The engine of the rehearsal beside this one can be reached, or no longer.
    pub(crate) fn show_rehearsal(&self, bench: Option<Engine>) {
        let mut place = self
            .inner
            .rehearsal
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *place = bench;
    }

    /// The engine of the rehearsal beside this one, while its bench can be looked at.
    pub fn rehearsal(&self) -> Option<Engine> {
        let place = self.inner.rehearsal.lock();
        place.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The leases, for the DHCP server to start with.
    pub async fn leases(&self) -> Vec<Lease> {
        match self.read(|conn| Ok(store::leases::all(conn)?)).await {
            Ok(leases) => leases,
            Err(refusal) => {
                tracing::error!(%refusal, "the leases could not be read");
                Vec::new()
            }
        }
    }

    /// Waits until the engine has done what was asked of it before. False when it has ended.
    pub async fn answers(&self) -> bool {
        self.at_desk(|_| Ok(())).await.is_ok()
    }

    /// Ends the engine and leaves the data folder tidy. Other handles refuse from now on.
    pub async fn close(self) {
        let (reply, done) = oneshot::channel();
        if self.inner.queue.send(Message::Close(reply)).is_ok() {
            // An engine that broke off has closed as well.
            let _ = done.await;
        }
        let thread = self
            .inner
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // The thread has answered and has nothing left to do.
            let _ = thread.join();
        }
    }

    /// Reads with the second connection.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&store::Connection) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.inner.reader.read(read).await
    }

    pub(super) fn set_outside(&self, outside: Arc<dyn Outside>) {
        let place = self.inner.outside.lock();
        *place.unwrap_or_else(PoisonError::into_inner) = Some(outside);
    }

    pub(super) fn outside(&self) -> Result<Arc<dyn Outside>, Refusal> {
        let place = self.inner.outside.lock();
        let outside = place.unwrap_or_else(PoisonError::into_inner).clone();
        outside.ok_or_else(outside::alone)
    }

    pub(super) fn published(&self) -> &Published {
        &self.inner.published
    }

    /// The engine's clock.
    pub(super) fn now(&self) -> Millis {
        (self.inner.clock)()
    }

    pub(super) fn logins_line(&self) -> &watch::Sender<u64> {
        &self.inner.logins
    }

    pub(super) fn folder(&self) -> &std::path::Path {
        &self.inner.folder
    }
}
