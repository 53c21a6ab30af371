//! Other ways to the drive: the site it belongs to, the site's libraries, sharing links, and the user's own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::items::{Listing, SITE, Select};
use super::problem::{Answer, Problem};
use super::route::{Place, Way};
use super::text::{Query, decoded};
use super::{Asked, Face};
use crate::ids::guid;

/// Host and path of the only site.
const HOST: &str = "handbook-my.sharepoint.com";
const PATH: &str = "personal/drive_owner";

impl Face {
    pub(super) fn way(&self, asked: &Asked<'_>, way: Way) -> Result<Answer, Problem> {
        match way {
            Way::Mine => Ok(Answer::ok(self.drive_json(&self.sim.world()))),
            Way::Site(host, path) => {
                if host.eq_ignore_ascii_case(HOST) && path.join("/").eq_ignore_ascii_case(PATH) {
                    let body = json!({ "id": self.site(), "name": "drive_owner", "webUrl": format!("https://{HOST}/{PATH}") });
                    Ok(Answer::ok(body))
                } else {
                    Err(Problem::not_found())
                }
            }
            Way::Library(site) => {
                self.own_site(&site)?;
                Ok(Answer::ok(self.drive_json(&self.sim.world())))
            }
            Way::Libraries(site) => {
                self.own_site(&site)?;
                Ok(Answer::ok(self.libraries(asked)))
            }
            Way::Shared(token) => self.shared(asked, &token),
        }
    }

    fn site(&self) -> String {
        let owner = &self.sim.options().owner.email;
        format!(
            "{HOST},{},{}",
            guid("onedrive-site", owner),
            guid("onedrive-web", owner)
        )
    }

    fn own_site(&self, site: &str) -> Result<(), Problem> {
        if site == self.site() {
            Ok(())
        } else {
            Err(Problem::not_found())
        }
    }

    /// Two pages: a library of the service's own first, then the drive.
    fn libraries(&self, asked: &Asked<'_>) -> Value {
        if Query::of(asked.query).get("skiptoken").is_some() {
            return json!({ "value": [self.drive_json(&self.sim.world())] });
        }
        let assets = json!({
            "id": "b!assets",
            "driveType": "documentLibrary",
            "name": "Site Assets",
            "webUrl": format!("https://{HOST}/{PATH}/SiteAssets"),
        });
        let link = format!("{}/v1.0/sites/{}/drives?$skiptoken=2", self.base(), self.site());
        json!({ "value": [assets], "@odata.nextLink": self.next_link(asked, link) })
    }

    /// What a link leads to, by the address inside it.
    fn shared(&self, asked: &Asked<'_>, token: &str) -> Result<Answer, Problem> {
        let bad = || Problem::bad("The sharing token is not valid.");
        let bytes = token
            .strip_prefix("u!")
            .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let link = bytes
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(bad)?;
        let path = link.split('?').next().unwrap_or_default();
        let below = path.strip_prefix(SITE).ok_or_else(Problem::not_found)?;
        let names = below.split('/').filter(|name| !name.is_empty()).map(decoded);
        let no = self.place(&Place {
            id: None,
            names: names.collect(),
        })?;
        let world = self.sim.world();
        let item = world.item(no).ok_or_else(Problem::not_found)?;
        let select = Select::of(Query::of(asked.query).get("select"));
        Ok(Answer::ok(self.entry(&world, item, (Listing::Item, &select))))
    }
}
