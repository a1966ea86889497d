//! What the server has noticed and the station has not yet heard of, by client.
//!
//! A client is answered at once, while the station hears of it when it gets there. Whoever serves the
//! client next must not go by what held before: a board that boots again would be given the secrets of
//! its boot before. So an event is counted here before its answer goes out, travels as [`Told`], and
//! has arrived when that is dropped.

use super::event::DhcpEvent;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wire::Mac;

/// Counts what is on its way. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct News(Arc<Mutex<HashMap<Mac, usize>>>);

impl News {
    /// Is something about this client on its way to the station?
    pub fn is_coming(&self, mac: Mac) -> bool {
        self.coming().contains_key(&mac)
    }

    /// Sends an event on its way.
    pub fn tell(&self, event: DhcpEvent) -> Told {
        let client = client(&event);
        if let Some(mac) = client {
            *self.coming().entry(mac).or_default() += 1;
        }
        let on_its_way = OnItsWay {
            client,
            news: self.clone(),
        };
        Told { event, on_its_way }
    }

    fn coming(&self) -> MutexGuard<'_, HashMap<Mac, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An event on its way to the station.
#[derive(Debug)]
pub struct Told {
    /// What happened.
    pub event: DhcpEvent,
    /// To be dropped when the station acts by it.
    pub on_its_way: OnItsWay,
}

impl From<DhcpEvent> for Told {
    /// An event whose way nobody follows.
    fn from(event: DhcpEvent) -> Self {
        News::default().tell(event)
    }
}

/// While this lives, [`News::is_coming`] for its client.
#[derive(Debug)]
pub struct OnItsWay {
    client: Option<Mac>,
    news: News,
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        let Some(mac) = self.client else { return };
        let mut coming = self.news.coming();
        let left = coming.get(&mac).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            coming.remove(&mac);
        } else {
            coming.insert(mac, left);
        }
    }
}

/// The client whose boot an event is about.
fn client(event: &DhcpEvent) -> Option<Mac> {
    match event {
        DhcpEvent::Seen { mac, .. } | DhcpEvent::Offered { mac, .. } => Some(*mac),
        DhcpEvent::Leased { lease, .. } => Some(lease.mac),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn it_is_coming_until_all_of_it_has_arrived() {
        let (mac, other) = (Mac([2, 0, 0, 0, 0, 1]), Mac([2, 0, 0, 0, 0, 2]));
        let ip = Ipv4Addr::new(192, 168, 151, 100);
        let news = News::default();
        let first = news.tell(DhcpEvent::Offered { mac, ip });
        let second = news.tell(DhcpEvent::Offered { mac, ip });
        assert!(news.is_coming(mac) && !news.is_coming(other));
        drop(first);
        assert!(news.is_coming(mac));
        drop(second.on_its_way);
        assert!(!news.is_coming(mac));
    }
}
