//! Finding a designated folder.

use revtrail_connector::{ConnectorError, ErrorKind, FolderRoot, pages::PageGuard};
use revtrail_model::id::{DriveId, ItemId, Provider};
use serde_json::value::RawValue;

use crate::{
    api::Corpus,
    connector::{GoogleDrive, incomplete, malformed},
    error::{failed, operation, unusable},
    map,
    wire::{Named, NamedList},
};

impl GoogleDrive {
    pub(crate) async fn resolve_item(
        &self,
        drive: Option<&DriveId>,
        item: &ItemId,
    ) -> Result<FolderRoot, ConnectorError> {
        let (record, answer) = self
            .ask::<Box<RawValue>>(operation::FILE, self.api.file(item))
            .await?;
        let file = map::file(&record).map_err(|error| malformed(operation::FILE, error, &answer))?;
        if !map::is_folder(&file) || file.trashed {
            return Err(unusable(ErrorKind::NotFound, operation::FILE, &answer)
                .with_code("what has this id is no folder, or is in the bin"));
        }
        // Items of My Drive name no drive.
        let own = match file.drive_id {
            Some(shared) => DriveId::from(shared),
            None => self.my_drive().await?.clone(),
        };
        if drive.is_some_and(|drive| *drive != own) {
            return Err(
                failed(ErrorKind::Config, operation::FILE).with_code("the folder is on another drive")
            );
        }
        Ok(FolderRoot {
            drive: own,
            item: ItemId::from(file.id),
            place: None,
            name: file.name,
            parent: file.parents.into_iter().next().map(ItemId::from),
            former: Vec::new(),
        })
    }

    pub(crate) async fn resolve_path(
        &self,
        drive: Option<&DriveId>,
        path: &str,
    ) -> Result<FolderRoot, ConnectorError> {
        let drive = match drive {
            Some(drive) => drive.clone(),
            None => self.my_drive().await?.clone(),
        };
        let corpus = self.corpus(&drive).await?;
        // The root folder of a drive has the drive's id.
        let mut folder = drive.as_str().to_owned();
        let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        if names.is_empty() && corpus != Corpus::User {
            return self.resolve_item(Some(&drive), &ItemId::from(folder)).await;
        }
        let (mut parent, name) = (None, names.last().map(|name| (*name).to_owned()));
        for name in names {
            parent = Some(ItemId::from(folder.as_str()));
            folder = self.folder_named(corpus, &folder, name).await?;
        }
        Ok(FolderRoot {
            item: ItemId::from(folder),
            drive,
            place: None,
            name,
            parent,
            former: Vec::new(),
        })
    }

    /// The one live folder of this name in `parent`. Names are not unique in Drive.
    async fn folder_named(
        &self,
        corpus: Corpus<'_>,
        parent: &str,
        name: &str,
    ) -> Result<String, ConnectorError> {
        let mut found = Vec::new();
        let mut guard = PageGuard::new(Provider::GoogleDrive, operation::FILES);
        let mut token: Option<String> = None;
        let mut again = false;
        loop {
            let url = self.api.folders_named(corpus, parent, name, token.as_deref());
            let (page, answer) = match self.ask::<NamedList>(operation::FILES, url).await {
                // The token of the next page ran out: the listing begins again, once, and what it shows again is known.
                Err(error) if error.kind == ErrorKind::CursorExpired && token.is_some() && !again => {
                    (token, again) = (None, true);
                    guard = PageGuard::new(Provider::GoogleDrive, operation::FILES);
                    continue;
                }
                listed => listed?,
            };
            if page.incomplete_search {
                return Err(incomplete(&answer));
            }
            // The service compares names less strictly than we do.
            for folder in page.files.into_iter().filter(|folder| folder.name == name) {
                // Listings may show an item twice; only another id is another folder.
                if found.iter().all(|known: &Named| known.id != folder.id) {
                    found.push(folder);
                }
            }
            token = page.next_page_token;
            match &token {
                Some(token) => guard.check(token)?,
                None => break,
            }
        }
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(Named { id, .. }), None) => Ok(id),
            (Some(_), Some(_)) => Err(failed(ErrorKind::Config, operation::FILES)
                .with_code("two folders of that name; name the folder by id")),
            (None, _) => {
                Err(failed(ErrorKind::NotFound, operation::FILES).with_code("no folder of that name"))
            }
        }
    }
}
