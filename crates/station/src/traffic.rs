//! Files and images on their way to boards, as they are at this moment.
//!
//! TFTP tells of its transfers by events; a download over HTTP is counted as its pieces are read,
//! which is at most two pieces ahead of the wire. Of what has ended only numbers are kept.

use crate::counts::Counts;
use netboot::tftp::{TftpEvent, What};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wire::Millis;
use wire::health::{ServerKind, Transfer};

/// More than there can be; events that were lost must not fill the memory.
const MOST: usize = 8192;

/// All transfers under way, and what has ended as numbers. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    running: Arc<Mutex<Running>>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Running {
    transfers: HashMap<Key, Transfer>,
    downloads: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Tftp(SocketAddr, u64),
    Http(u64),
}

/// A download; it has ended when this is dropped.
#[derive(Debug)]
pub struct Download {
    traffic: Traffic,
    key: Key,
}

impl Traffic {
    /// The transfers, the oldest first.
    pub fn now(&self) -> Vec<Transfer> {
        let mut all: Vec<Transfer> = self.lock().transfers.values().cloned().collect();
        all.sort_by(|a, b| (a.since, a.ip, &a.what).cmp(&(b.since, b.ip, &b.what)));
        all
    }

    /// What happened so far, counted.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The TFTP server told something.
    pub fn tftp(&self, event: &TftpEvent) {
        self.counts.tftp(event);
        let IpAddr::V4(ip) = event.client.ip().to_canonical() else {
            return;
        };
        let key = Key::Tftp(event.client, event.transfer);
        let mut running = self.lock();
        match event.what {
            What::Started { size } => {
                // A board's port has one transfer at a time.
                let other = |k: &Key| matches!(k, Key::Tftp(at, _) if *at == event.client);
                running.transfers.retain(|k, _| !other(k));
                running.begin(key, ServerKind::Tftp, ip, event.path.clone(), Some(size));
            }
            What::Progress { sent } => {
                if let Some(transfer) = running.transfers.get_mut(&key) {
                    transfer.sent = sent;
                }
            }
            What::Done { .. } | What::Declined | What::NotFound | What::Failed { .. } => {
                running.transfers.remove(&key);
            }
        }
    }

    /// A download of `total` bytes begins.
    pub fn download(&self, ip: Ipv4Addr, what: String, total: u64) -> Download {
        let mut running = self.lock();
        running.downloads += 1;
        let key = Key::Http(running.downloads);
        running.begin(key, ServerKind::Http, ip, what, Some(total));
        drop(running);
        Download {
            traffic: self.clone(),
            key,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn begin(
        &mut self,
        key: Key,
        server: ServerKind,
        ip: Ipv4Addr,
        what: String,
        total: Option<u64>,
    ) {
        if self.transfers.len() < MOST {
            let transfer = Transfer {
                server,
                board: None,
                ip,
                what,
                sent: 0,
                total,
                since: Millis::now(),
            };
            self.transfers.insert(key, transfer);
        }
    }
}

impl Download {
    /// So many bytes more.
    pub fn sent(&self, bytes: u64) {
        self.traffic.counts.sent(bytes);
        if let Some(transfer) = self.traffic.lock().transfers.get_mut(&self.key) {
            transfer.sent += bytes;
        }
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        self.traffic.lock().transfers.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOARD: Ipv4Addr = Ipv4Addr::new(192, 168, 151, 100);

    fn told(transfer: u64, what: What) -> TftpEvent {
        TftpEvent {
            client: SocketAddr::from((BOARD, 49152)),
            transfer,
            path: "config.txt".to_owned(),
            what,
        }
    }

    #[test]
    fn a_boot_file_is_there_until_it_has_arrived() {
        let traffic = Traffic::default();
        traffic.tftp(&told(7, What::Started { size: 4000 }));
        traffic.tftp(&told(7, What::Progress { sent: 1024 }));
        let now = traffic.now();
        assert_eq!((now[0].sent, now[0].total), (1024, Some(4000)));
        assert_eq!((now[0].ip, now[0].what.as_str()), (BOARD, "config.txt"));
        traffic.tftp(&told(6, What::NotFound));
        assert_eq!(traffic.now().len(), 1);
        traffic.tftp(&told(
            7,
            What::Done {
                bytes: 4000,
                resent: 0,
            },
        ));
        assert_eq!(traffic.now(), []);
    }

    #[test]
    fn a_board_that_starts_over_leaves_nothing_behind() {
        let traffic = Traffic::default();
        traffic.tftp(&told(1, What::Started { size: 10 }));
        traffic.tftp(&told(2, What::Started { size: 20 }));
        let now = traffic.now();
        assert_eq!(now.len(), 1);
        assert_eq!(now[0].total, Some(20));
    }

    #[test]
    fn a_download_counts_up_and_ends() {
        let traffic = Traffic::default();
        let first = traffic.download(BOARD, "pack".to_owned(), 100);
        let second = traffic.download(BOARD, "pack".to_owned(), 50);
        first.sent(30);
        first.sent(30);
        let sent: Vec<u64> = traffic.now().iter().map(|t| t.sent).collect();
        assert!(sent.contains(&60) && sent.contains(&0), "{sent:?}");
        drop(first);
        assert_eq!(traffic.now().len(), 1);
        drop(second);
        assert_eq!(traffic.now(), []);
    }
}
