//! Gathers what is known of one board for a bundle.

use super::ask::Engine;
use crate::papers::{self, Occasion, Paper};
use crate::store;
use wire::BoardId;
use wire::refusal::Refusal;

/// Length of a file of packets without a packet.
const EMPTY: usize = 24;

impl Engine {
    /// The last packets of the deployment side.
    pub(super) fn packets(&self) -> Result<Paper, Refusal> {
        Ok(Paper {
            file_name: "punnet-packets.pcap".to_owned(),
            media_type: "application/vnd.tcpdump.pcap",
            bytes: self.outside()?.packets(None),
        })
    }

    /// Everything that is known of a board, in one file; how the station is set only `with_settings`.
    pub(super) async fn bundle(
        &self,
        board: BoardId,
        with_settings: bool,
    ) -> Result<Paper, Refusal> {
        let sheet = self.sheet(board).await?;
        let ready = self.ready().await;
        let mut around = self.published().read(|now| papers::bundle::Around {
            sheet,
            version: now.version.clone(),
            servers: now.servers.clone(),
            findings: now.findings.clone(),
            ready,
            log: Vec::new(),
            settings: None,
            packets: None,
        });
        if let Ok(outside) = self.outside() {
            around.log = outside.log_of(board).await;
            around.settings = with_settings.then(|| outside.settings());
            let macs = self.read(move |conn| {
                let seat = store::boards::get(conn, board)?;
                Ok(seat.map(|seat| seat.macs).unwrap_or_default())
            });
            let macs = macs.await?;
            around.packets = Some(outside.packets(Some(&macs))).filter(|p| p.len() > EMPTY);
        }
        let occasion = Occasion::now();
        self.read(move |conn| papers::bundle::draw(conn, board, &around, &occasion))
            .await
    }
}
