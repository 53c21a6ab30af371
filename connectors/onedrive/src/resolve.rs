//! Finding a designated folder: by drive, by site and library, by sharing link, or on the user's own drive.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use revtrail_connector::{
    ConnectorError, DrivePlace, ErrorKind, FolderRoot, Place, Within, http::Answer, pages::PageGuard,
    request::Request,
};
use revtrail_model::id::{DriveId, Provider};
use serde_json::value::RawValue;
use url::Url;

use crate::{
    api::{ITEM_UNITS, LIST_UNITS},
    connector::{OneDrive, failed, malformed, with_answer},
    error::operation,
    ids, map,
    wire::{DriveList, IdOnly},
};

impl OneDrive {
    pub(crate) async fn find(&self, place: &Place) -> Result<FolderRoot, ConnectorError> {
        if let Within::Link(link) = &place.within {
            if place.drive != DrivePlace::Own {
                return Err(config("a sharing link names the drive itself"));
            }
            let url = self
                .api
                .shared(&format!("u!{}", URL_SAFE_NO_PAD.encode(link.trim())));
            return self.folder(url, None).await;
        }
        let drive = match &place.drive {
            DrivePlace::Id(drive) => ids::drive(drive.as_str()),
            DrivePlace::Library { site, library } => self.library(site, library.as_deref()).await?,
            DrivePlace::Own if self.has_own_drive => self.own_drive().await?,
            DrivePlace::Own => {
                return Err(config("the folder needs a drive id, a site, or a sharing link"));
            }
        };
        let url = match &place.within {
            Within::Item(item) => self.api.item(&drive, item),
            Within::Path(path) | Within::Link(path) => {
                let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
                if names.iter().any(|name| matches!(*name, "." | "..")) {
                    return Err(config("the path must not hold . or .."));
                } else if names.is_empty() {
                    self.api.drive_root(&drive)
                } else {
                    self.api.item_at(&drive, &names)
                }
            }
        };
        self.folder(url, Some(drive)).await
    }

    /// The folder at `url`; its drive is the one asked, else the one it names itself.
    async fn folder(&self, url: Url, drive: Option<DriveId>) -> Result<FolderRoot, ConnectorError> {
        let (record, answer) = self
            .ask::<Box<RawValue>>(operation::ITEM, url, ITEM_UNITS)
            .await?;
        let found = map::folder(&record).map_err(|error| malformed(operation::ITEM, error, &answer))?;
        let not_found =
            |why: &str| with_answer(failed(ErrorKind::NotFound, operation::ITEM), &answer).with_code(why);
        let Some(folder) = found else {
            return Err(not_found("what is there is not a folder of this drive"));
        };
        let Some(drive) = drive.or(folder.drive) else {
            return Err(not_found("what is there does not name its drive"));
        };
        Ok(FolderRoot {
            drive,
            item: folder.item,
            place: None,
            name: folder.name,
            parent: folder.parent,
            former: Vec::new(),
        })
    }

    /// The user's own drive.
    async fn own_drive(&self) -> Result<DriveId, ConnectorError> {
        let (drive, _) = self
            .ask::<IdOnly>(operation::ITEM, self.api.own_drive(), ITEM_UNITS)
            .await?;
        Ok(ids::drive(&drive.id))
    }

    /// The drive of a library. People know libraries by the name on the page or by the one in its address, which differ where the site
    /// speaks another language.
    async fn library(&self, site: &str, library: Option<&str>) -> Result<DriveId, ConnectorError> {
        let Some(url) = self.api.site(site) else {
            return Err(config(
                "the site must be host/path, for example acme.sharepoint.com/sites/finance",
            ));
        };
        let (site, _) = self.ask::<IdOnly>(operation::SITE, url, ITEM_UNITS).await?;
        let Some(library) = library else {
            let (drive, _) = self
                .ask::<IdOnly>(operation::SITE, self.api.site_drive(&site.id), ITEM_UNITS)
                .await?;
            return Ok(ids::drive(&drive.id));
        };
        let mut guard = PageGuard::new(Provider::OneDrive, operation::SITE);
        let mut url = self.api.site_drives(&site.id);
        let mut found = Vec::new();
        let answer = loop {
            let (page, answer): (DriveList, Answer) = self.ask(operation::SITE, url, LIST_UNITS).await?;
            let named = page.value.into_iter().filter(|drive| drive.is_named(library));
            found.extend(named.map(|drive| drive.id));
            let Some(link) = page.next_link else { break answer };
            guard.check(&link)?;
            url = self.link(operation::SITE, &link)?;
        };
        let error = |kind, why: &str| with_answer(failed(kind, operation::SITE), &answer).with_code(why);
        match found.as_slice() {
            [id] => Ok(ids::drive(id)),
            [] => Err(error(ErrorKind::NotFound, "the site has no library of this name")),
            _ => Err(error(
                ErrorKind::Config,
                "the site has several libraries of this name; give the drive id",
            )),
        }
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        operation: &'static str,
        url: Url,
        units: u32,
    ) -> Result<(T, Answer), ConnectorError> {
        self.http
            .send_json(&Request::get(operation, url).units(units))
            .await
    }
}

fn config(message: &str) -> ConnectorError {
    failed(ErrorKind::Config, operation::ITEM).with_code(message)
}
