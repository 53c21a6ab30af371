//! What an audit log told about an event, as a member of its flat document.

use revtrail_model::{disclosure::Disclosure, leaf::AnnotationLeaf};
use serde_json::{Map, Value, json};

/// The annotation at leaf `index` of `log`, opened by `disclosure`. What the log did not say is absent.
pub fn annotation(log: &str, index: u64, leaf: &AnnotationLeaf, disclosure: &Disclosure) -> Value {
    let mut document = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            document.insert(name.to_owned(), value);
        }
    };
    put("log", json!(log));
    put("index", json!(index));
    put("outcome", json!(leaf.outcome));
    put("reason", json!(leaf.reason));
    put("basis", json!(leaf.basis));
    put("actor_source", json!(leaf.actor_source));
    put("occurred_at", json!(leaf.occurred_at));
    put("observed_at", json!(leaf.observed_at));
    put("raw_sha256", json!(leaf.raw_sha256));
    if let Some(actor) = leaf.actor(disclosure) {
        put("actor_kind", json!(actor.kind));
        put("actor_id", json!(actor.details.id));
        put("actor_email", json!(actor.details.email));
        put("actor_name", json!(actor.details.name));
        put("on_behalf_of", json!(actor.details.on_behalf_of));
        let application = actor.application.unwrap_or_default();
        put("application_id", json!(application.id));
        put("application_name", json!(application.name));
    }
    let client = disclosure.client.clone().unwrap_or_default();
    put("client_address", json!(client.address));
    put("client_method", json!(client.method));
    put("client_user_agent", json!(client.user_agent));
    Value::Object(document)
}
