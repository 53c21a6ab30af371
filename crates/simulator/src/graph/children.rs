//! Children of a folder, by name. `ForeignNextLink` can happen.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::items::{Listing, Select};
use super::problem::{Answer, Problem};
use super::text::Query;
use super::{Asked, Face};
use crate::world::ItemNo;

/// Entries of a page when the client has no wish, and at most.
const PAGE: (usize, usize) = (200, 1000);

impl Face {
    pub(super) fn children(&self, asked: &Asked<'_>, no: ItemNo) -> Result<Answer, Problem> {
        let query = Query::of(asked.query);
        let after = query
            .get("skiptoken")
            .map(|text| name(text).ok_or_else(|| Problem::bad("Invalid $skiptoken.")));
        let after = after.transpose()?;
        let world = self.sim.world();
        if world.item(no).is_none_or(|item| !item.is_folder()) {
            return Err(Problem::bad("Only folders have children."));
        }
        let size = self.sim.page_size(query.top(), PAGE.0, PAGE.1);
        let select = Select::of(query.get("select"));
        let mut left = world
            .children(no)
            .filter(|item| self.is_listed(asked, item))
            .skip_while(|item| after.as_deref().is_some_and(|after| &*item.name <= after));
        let shown: Vec<_> = left.by_ref().take(size).collect();
        let mut value: Vec<Value> = shown
            .iter()
            .map(|item| self.entry(&world, item, (Listing::Item, &select)))
            .collect();
        self.respell(asked, &mut value);
        let mut body = json!({ "value": value });
        if let (Some(last), Some(_)) = (shown.last(), left.next()) {
            let path = format!("/items/{}/children", self.item_id(no));
            let link = self.skip_link(&path, &query, &URL_SAFE_NO_PAD.encode(&*last.name));
            body["@odata.nextLink"] = self.next_link(asked, link).into();
        }
        Ok(Answer::ok(body))
    }
}

fn name(token: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}
