#![doc = include_str!("../README.md")]

pub mod activity;
pub mod batch;
pub mod change;
pub mod connector;
pub mod content;
pub mod digests;
pub mod error;
pub mod hosts;
pub mod http;
pub mod oauth;
pub mod pacing;
pub mod pages;
pub mod post;
pub mod request;
pub mod retry;
pub mod secret;
pub mod settings;
pub mod usage;

pub use activity::{Activity, ActivityId, ActivityPage, ActivityPoint, AuditLog, Extent, Target};
pub use connector::{
    Access, Addressing, Capabilities, Connector, Creation, DrivePlace, FeedPage, FeedPoint, FolderRoot,
    FormerPlace, Next, Page, Place, Within,
};
pub use content::{Content, ContentRef};
pub use error::{Action, ConnectorError, ErrorKind};
pub use http::Http;
pub use revtrail_model::time;
pub use usage::Usage;
