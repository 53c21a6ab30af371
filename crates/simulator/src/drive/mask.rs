//! The `fields` parameter: which members of an answer are wanted. Values that nobody asked for are never computed.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

use serde_json::{Map, Value};

use super::problem::Problem;

/// Members a resource can have; a mask that names another is refused.
#[derive(Debug)]
pub(super) enum Shape {
    /// Any members: the simulator does not fill them, or the provider's set is open.
    Open,
    /// Plain values (separated by blanks) and nested resources.
    Of(&'static str, &'static [(&'static str, &'static Shape)]),
}

const USER: Shape = Shape::Of("kind displayName emailAddress permissionId me photoLink", &[]);
/// A file or folder.
pub(super) const FILE: Shape = Shape::Of(
    "kind id name mimeType description starred trashed explicitlyTrashed trashedTime parents spaces version \
     webContentLink webViewLink iconLink hasThumbnail thumbnailLink thumbnailVersion viewedByMe viewedByMeTime \
     createdTime modifiedTime modifiedByMe modifiedByMeTime sharedWithMeTime driveId teamDriveId ownedByMe shared \
     permissionIds hasAugmentedPermissions folderColorRgb originalFilename fullFileExtension fileExtension \
     md5Checksum sha1Checksum sha256Checksum size quotaBytesUsed headRevisionId isAppAuthorized \
     copyRequiresWriterPermission writersCanShare viewersCanCopyContent resourceKey inheritedPermissionsDisabled",
    &[
        ("owners", &USER),
        ("lastModifyingUser", &USER),
        ("sharingUser", &USER),
        ("trashingUser", &USER),
        ("capabilities", &Shape::Open),
        ("permissions", &Shape::Open),
        ("properties", &Shape::Open),
        ("appProperties", &Shape::Open),
        ("contentHints", &Shape::Open),
        ("contentRestrictions", &Shape::Open),
        ("downloadRestrictions", &Shape::Open),
        ("clientEncryptionDetails", &Shape::Open),
        ("exportLinks", &Shape::Open),
        ("imageMediaMetadata", &Shape::Open),
        ("videoMediaMetadata", &Shape::Open),
        ("labelInfo", &Shape::Open),
        ("linkShareMetadata", &Shape::Open),
        ("shortcutDetails", &Shape::Open),
    ],
);
/// One revision.
pub(super) const REVISION: Shape = Shape::Of(
    "kind id mimeType modifiedTime keepForever published publishAuto publishedLink publishedOutsideDomain size \
     md5Checksum originalFilename",
    &[("lastModifyingUser", &USER), ("exportLinks", &Shape::Open)],
);
const CHANGE: Shape = Shape::Of(
    "kind type changeType time removed fileId driveId teamDriveId",
    &[
        ("file", &FILE),
        ("drive", &Shape::Open),
        ("teamDrive", &Shape::Open),
    ],
);
/// Answer of `changes.list`.
pub(super) const CHANGES: Shape = Shape::Of("kind nextPageToken newStartPageToken", &[("changes", &CHANGE)]);
/// Answer of `files.list`.
pub(super) const FILES: Shape = Shape::Of("kind nextPageToken incompleteSearch", &[("files", &FILE)]);
/// Answer of `revisions.list`.
pub(super) const REVISIONS: Shape = Shape::Of("kind nextPageToken", &[("revisions", &REVISION)]);
/// Answer of `drives.list`.
pub(super) const DRIVES: Shape = Shape::Of("kind nextPageToken", &[("drives", &Shape::Open)]);
/// Answer of `changes.getStartPageToken`.
pub(super) const START: Shape = Shape::Of("kind startPageToken", &[]);
/// Answer of `about.get`.
pub(super) const ABOUT: Shape = Shape::Of(
    "kind appInstalled canCreateDrives canCreateTeamDrives folderColorPalette maxUploadSize",
    &[
        ("user", &USER),
        ("storageQuota", &Shape::Open),
        ("exportFormats", &Shape::Open),
        ("importFormats", &Shape::Open),
        ("maxImportSizes", &Shape::Open),
        ("driveThemes", &Shape::Open),
        ("teamDriveThemes", &Shape::Open),
    ],
);

/// What stands behind the name of a member.
#[derive(Debug, Clone, Copy)]
enum Member {
    Plain,
    Nested(&'static Shape),
}

impl Shape {
    /// The member of this name, if it is known.
    fn member(&self, name: &str) -> Option<Member> {
        match self {
            Self::Open => Some(Member::Nested(&Self::Open)),
            Self::Of(leaves, nested) => {
                let inner = nested.iter().find(|(field, _)| *field == name);
                let plain = || leaves.split_ascii_whitespace().any(|leaf| leaf == name);
                match inner {
                    Some((_, shape)) => Some(Member::Nested(shape)),
                    None => plain().then_some(Member::Plain),
                }
            }
        }
    }
}

impl Member {
    /// The resource behind it; a plain value has no members to choose from.
    fn nested(self, name: &str) -> Result<&'static Shape, Problem> {
        match self {
            Self::Plain => Err(Problem::field(name)),
            Self::Nested(shape) => Ok(shape),
        }
    }
}

/// What is wanted of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mask {
    /// Everything (`*`, or a member named without saying which of its members).
    All,
    /// These members.
    Some(BTreeMap<String, Mask>),
}

impl Mask {
    /// Reads a mask for a resource of this shape.
    pub(super) fn parse(text: &str, shape: &'static Shape) -> Result<Self, Problem> {
        let mut reader = Reader {
            text,
            rest: text.chars().peekable(),
        };
        let mask = reader.selection(shape)?;
        match reader.rest.next() {
            None => Ok(mask),
            Some(_) => Err(Problem::field(text)),
        }
    }

    /// The mask of a member, if it is wanted.
    pub(super) fn wants(&self, name: &str) -> Option<&Self> {
        match self {
            Self::All => Some(&Self::All),
            Self::Some(members) => members.get(name),
        }
    }

    fn merge(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Some(mine), Self::Some(others)) => {
                for (name, mask) in others {
                    match mine.get_mut(&name) {
                        Some(old) => old.merge(mask),
                        None => {
                            mine.insert(name, mask);
                        }
                    }
                }
            }
            _ => *self = Self::All,
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    rest: Peekable<Chars<'t>>,
}

impl Reader<'_> {
    fn selection(&mut self, shape: &'static Shape) -> Result<Mask, Problem> {
        let mut mask = self.item(shape)?;
        while self.rest.next_if_eq(&',').is_some() {
            let other = self.item(shape)?;
            mask.merge(other);
        }
        Ok(mask)
    }

    fn item(&mut self, shape: &'static Shape) -> Result<Mask, Problem> {
        let name = self.name();
        if name == "*" {
            return Ok(Mask::All);
        }
        let member = shape.member(&name).ok_or_else(|| Problem::field(&name))?;
        let inner = if self.rest.next_if_eq(&'/').is_some() {
            self.item(member.nested(&name)?)?
        } else if self.rest.next_if_eq(&'(').is_some() {
            let inner = self.selection(member.nested(&name)?)?;
            if self.rest.next() != Some(')') {
                return Err(Problem::field(self.text));
            }
            inner
        } else {
            Mask::All
        };
        Ok(Mask::Some(BTreeMap::from([(name, inner)])))
    }

    fn name(&mut self) -> String {
        while self.rest.next_if_eq(&' ').is_some() {}
        let mut name = String::new();
        while let Some(letter) = self
            .rest
            .next_if(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '*' | '_' | '-'))
        {
            name.push(letter);
        }
        while self.rest.next_if_eq(&' ').is_some() {}
        name
    }
}

/// A resource in the making, of which only wanted members are filled.
pub(super) struct Picked<'m> {
    mask: &'m Mask,
    members: Map<String, Value>,
}

impl<'m> Picked<'m> {
    pub(super) fn new(mask: &'m Mask) -> Self {
        Self {
            mask,
            members: Map::new(),
        }
    }

    /// Fills a member if it is wanted.
    pub(super) fn put<V: Into<Value>>(&mut self, name: &str, value: impl FnOnce() -> V) {
        self.put_masked(name, |_| value().into());
    }

    /// Fills a nested member if it is wanted, by what is wanted of it.
    pub(super) fn put_masked(&mut self, name: &str, value: impl FnOnce(&Mask) -> Value) {
        if let Some(mask) = self.mask.wants(name) {
            self.members.insert(name.to_owned(), value(mask));
        }
    }

    pub(super) fn value(self) -> Value {
        Value::Object(self.members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_nest_and_merge() {
        let mask = Mask::parse(
            "nextPageToken, files(id,owners/emailAddress),files(name,lastModifyingUser(me)),files/capabilities/canEdit",
            &FILES,
        )
        .unwrap();
        let files = mask.wants("files").unwrap();
        assert_eq!(files.wants("id"), Some(&Mask::All));
        assert_eq!(files.wants("size"), None);
        assert_eq!(files.wants("name"), Some(&Mask::All));
        let owners = files.wants("owners").unwrap();
        assert_eq!(owners.wants("emailAddress"), Some(&Mask::All));
        assert_eq!(owners.wants("me"), None);
        let capabilities = files.wants("capabilities").unwrap();
        assert_eq!(capabilities.wants("canEdit"), Some(&Mask::All));
        assert_eq!(capabilities.wants("canShare"), None);
        assert_eq!(mask.wants("kind"), None);
        assert_eq!(Mask::parse("*", &FILES).unwrap(), Mask::All);
        assert_eq!(
            Mask::parse("files/*", &FILES).unwrap().wants("files"),
            Some(&Mask::All)
        );
    }

    #[test]
    fn unknown_fields_and_bad_syntax_are_refused() {
        for text in [
            "file",
            "files(nme)",
            "files(id",
            "files(id))",
            "kind/x",
            "",
            "files(id,)",
            "kind)",
        ] {
            let problem = Mask::parse(text, &FILES).unwrap_err();
            assert_eq!(problem.reason, "invalidParameter", "{text}");
        }
    }
}
