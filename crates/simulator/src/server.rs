//! Serves the faces and the control port on loopback.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::{Router, middleware};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::error::SimulatorError;
use crate::fault::{Door, apply};
use crate::graph::drive_id;
use crate::sim::{Provider, Sim};
use crate::{control, drive, dropbox, graph};

/// Ports on 127.0.0.1; 0 means any free one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ports {
    /// OneDrive (Graph, and its login endpoint).
    pub onedrive: u16,
    /// Google Drive (and its token endpoint).
    pub google_drive: u16,
    /// Dropbox (and its token endpoint).
    pub dropbox: u16,
    /// Control.
    pub control: u16,
}

/// A simulator being served; dropping it stops the servers.
#[derive(Debug)]
pub struct Running {
    sim: Arc<Sim>,
    control_url: String,
    servers: Vec<JoinHandle<()>>,
}

impl Running {
    /// The shared state, for advancing and planning faults in process.
    pub fn sim(&self) -> &Arc<Sim> {
        &self.sim
    }

    /// `http://127.0.0.1:PORT` of a face.
    pub fn url(&self, provider: Provider) -> &str {
        self.sim.base_url(provider)
    }

    /// Id of the OneDrive face's only drive.
    pub fn onedrive_drive(&self) -> String {
        drive_id(self.sim.options())
    }

    /// `http://127.0.0.1:PORT` of the control port.
    pub fn control_url(&self) -> &str {
        &self.control_url
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for server in &self.servers {
            server.abort();
        }
    }
}

/// Binds all ports, then serves until the answer is dropped. Must be called within a tokio runtime, once per `sim`.
pub async fn serve(sim: Arc<Sim>, ports: Ports) -> Result<Running, SimulatorError> {
    let (onedrive, onedrive_url) = bind(ports.onedrive).await?;
    let (google_drive, google_drive_url) = bind(ports.google_drive).await?;
    let (dropbox, dropbox_url) = bind(ports.dropbox).await?;
    let (control, control_url) = bind(ports.control).await?;
    sim.set_base_urls(BTreeMap::from([
        (Provider::OneDrive, onedrive_url),
        (Provider::GoogleDrive, google_drive_url),
        (Provider::Dropbox, dropbox_url),
    ]));
    let servers = vec![
        run(onedrive, face(&sim, Provider::OneDrive)),
        run(google_drive, face(&sim, Provider::GoogleDrive)),
        run(dropbox, face(&sim, Provider::Dropbox)),
        run(control, control::router(Arc::clone(&sim))),
    ];
    Ok(Running {
        sim,
        control_url,
        servers,
    })
}

/// The routes of a face with the middleware around them, unknown routes included.
fn face(sim: &Arc<Sim>, provider: Provider) -> Router {
    let shared = Arc::clone(sim);
    let (routes, operation, refusal): (Router, fn(&_) -> _, fn(&_, &_) -> _) = match provider {
        Provider::OneDrive => (graph::router(shared), graph::operation, graph::refusal),
        Provider::GoogleDrive => (drive::router(shared), drive::operation, drive::refusal),
        Provider::Dropbox => (dropbox::router(shared), dropbox::operation, dropbox::refusal),
    };
    let door = Door {
        sim: Arc::clone(sim),
        provider,
        operation,
        refusal,
    };
    // As the outer router's fallback, the face is wrapped whole: its own fallback and 405 answers carry the date too.
    let face = Router::new()
        .fallback_service(routes)
        .layer(middleware::from_fn_with_state(door, apply));
    if provider == Provider::GoogleDrive {
        // Outside of the faults, which are those of plain bodies.
        face.layer(middleware::from_fn(drive::compress))
    } else {
        face
    }
}

async fn bind(port: u16) -> Result<(TcpListener, String), SimulatorError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let fail = |source| SimulatorError::Bind { port, source };
    let listener = TcpListener::bind(address).await.map_err(fail)?;
    let bound = listener.local_addr().map_err(fail)?;
    Ok((listener, format!("http://{bound}")))
}

fn run(listener: TcpListener, router: Router) -> JoinHandle<()> {
    tokio::spawn(async move {
        // Ends only with the process or by abort; accept errors are retried inside.
        let _ = axum::serve(listener, router).await;
    })
}

#[cfg(test)]
mod tests;
