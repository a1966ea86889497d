//! Gathers what is known of one board for a bundle.

use super::ask::Engine;
use crate::papers::{self, Occasion, Paper};
use wire::BoardId;
use wire::refusal::Refusal;

impl Engine {
    /// Everything that is known of a board, in one file.
    pub(super) async fn bundle(&self, board: BoardId) -> Result<Paper, Refusal> {
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
            around.settings = Some(outside.settings());
        }
        let occasion = Occasion::now();
        self.read(move |conn| papers::bundle::draw(conn, board, &around, &occasion))
            .await
    }
}
