//! `punnet --daemon`: the station as a service.
//!
//! systemd is told when the station is in a definite state, what that state is, and that the engine
//! still answers (`Type=notify`, sd_notify(3)). SIGTERM and SIGINT stop it in order.

use crate::args::Args;
use crate::configuration::Again;
use crate::extras::extras;
use crate::log::Files;
use crate::runtime;
use crate::server::words;
use crate::trouble::Trouble;
use sd_notify::NotifyState;
use station::config::{Backup, Config};
use station::engine::Engine;
use station::service::{Mode, RunningStation, run_with as start};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio_stream::StreamExt as _;
use wire::command::Command;
use wire::update::Update;

/// Longest time until the first definite state that is waited for before saying "ready".
const SETTLE: Duration = Duration::from_secs(5);

/// Runs the station until it is told to stop. Whatever keeps it from running is also told to systemd,
/// whose status shows it.
pub(crate) fn run(args: &Args, files: Option<Files>) -> Result<(), Trouble> {
    let done = run_station(args, files);
    if let Err(trouble) = &done {
        let words = trouble.in_words();
        let line: Vec<&str> = words.lines().map(str::trim).collect();
        notify(&[NotifyState::Status(&line.join(" "))]);
    }
    done
}

fn run_station(args: &Args, files: Option<Files>) -> Result<(), Trouble> {
    let config = args.common.configuration()?;
    let (config, mode) = if args.rehearsal {
        (for_rehearsal(config), Mode::Rehearsal)
    } else {
        (config, Mode::Serve)
    };
    let runtime = runtime::start()?;
    let again = Again {
        common: args.common.clone(),
        rehearsal: args.rehearsal,
        files,
    };
    runtime.block_on(serve(config, mode, again))
}

/// A configuration with its ports, on the loopback.
pub(crate) fn for_rehearsal(config: Config) -> Config {
    let mut rehearsal = Config::for_rehearsal(config.data_dir, config.agent);
    let deployment = config.deployment;
    rehearsal.deployment.dhcp_port = deployment.dhcp_port;
    rehearsal.deployment.tftp_port = deployment.tftp_port;
    rehearsal.deployment.http_port = deployment.http_port;
    rehearsal.management = config.management;
    rehearsal.boards = config.boards;
    rehearsal.dhcp = config.dhcp;
    rehearsal.sources = config.sources;
    let backup = Backup {
        every_hours: rehearsal.backup.every_hours,
        warn_days: rehearsal.backup.warn_days,
        ..config.backup
    };
    rehearsal.backup = backup;
    rehearsal.log = config.log;
    rehearsal.alerts = config.alerts;
    rehearsal
}

async fn serve(config: Config, mode: Mode, again: Again) -> Result<(), Trouble> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let extras = extras(config.agent.clone(), again);
    let station = start(config, mode, extras).await?;
    let broken = station.broken();
    let at = station.addresses();
    tracing::info!(operator = %at.operator, socket = %at.socket.display(), "the station is up");
    let telling = tokio::spawn(tell_systemd(station.station()));
    let petting = tokio::spawn(pet_watchdog(station.engine().clone()));
    // Servers that wait for something do not keep the service from being up.
    let _ = tokio::time::timeout(SETTLE, station.settled()).await;
    notify(&[NotifyState::Ready, NotifyState::Status(&status(&station))]);
    let broke_down = loop {
        tokio::select! {
            _ = terminate.recv() => break false,
            _ = interrupt.recv() => break false,
            Some(()) = hang_up.recv() => reload(&station).await,
            () = broken.cancelled() => break true,
        }
    };
    tracing::info!("stopping");
    notify(&[NotifyState::Stopping]);
    telling.abort();
    petting.abort();
    station.stop().await;
    if broke_down {
        return Err(Trouble::words(
            "a part of the station broke down; see the log",
        ));
    }
    Ok(())
}

/// Reads the configuration again, and tells systemd when that has begun and ended (`Type=notify-reload`).
async fn reload(station: &RunningStation) {
    let mut begun = vec![NotifyState::Reloading];
    begun.extend(NotifyState::monotonic_usec_now());
    notify(&begun);
    match station.station().command(Command::ConfigReload).await {
        // What changed and what waits is in the log already, line by line.
        Ok(_) => tracing::info!("the configuration was read again"),
        Err(refusal) => tracing::error!(%refusal, "the configuration was not read again"),
    }
    notify(&[NotifyState::Ready, NotifyState::Status(&status(station))]);
}

fn status(station: &RunningStation) -> String {
    let servers = station.servers();
    let states: Vec<String> = servers
        .iter()
        .map(|s| format!("{} {}", s.server.as_str(), words(&s.state)))
        .collect();
    states.join("; ")
}

/// Tells each change of a server as the service's status line.
async fn tell_systemd(station: station::link::Station) {
    let Ok(mut watch) = station.watch().await else {
        return;
    };
    let mut now = wire::update::Snapshot::default();
    while let Some(update) = watch.next().await {
        let news = matches!(update, Update::Server(_) | Update::Snapshot(_));
        now.fold(update);
        if news {
            let states: Vec<String> = now
                .servers
                .iter()
                .map(|s| format!("{} {}", s.server.as_str(), words(&s.state)))
                .collect();
            notify(&[NotifyState::Status(&states.join("; "))]);
        }
    }
}

/// Tells systemd that the station lives, as long as its engine answers.
async fn pet_watchdog(engine: Engine) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut tick = tokio::time::interval(limit / 3);
    loop {
        tick.tick().await;
        if engine.answers().await {
            notify(&[NotifyState::Watchdog]);
        }
    }
}

fn notify(state: &[NotifyState<'_>]) {
    // Without systemd there is nobody to tell.
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "sd_notify");
    }
}
