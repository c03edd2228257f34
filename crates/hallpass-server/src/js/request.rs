//! The request as callbacks see it.

use hallpass::RequestInfo;
use http::header;
use serde_json::{Map, Value, json};
use url::{Url, form_urlencoded};

/// How much of a request callbacks see.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Parameters of the query, by name.
    pub(super) query: Vec<String>,
    /// Public address of the server.
    pub(super) url: Option<Url>,
}

impl Seen {
    /// A request as Next's API routes have it. Of the query there is what the settings name, and nothing at all when
    /// another site makes the browser ask: a link or an image must change nothing.
    pub(super) fn request(&self, info: &RequestInfo) -> String {
        let asks_itself = info.is_from_site();
        let pairs: Vec<_> = info
            .query_pairs()
            .iter()
            .filter(|(name, _)| asks_itself && self.query.iter().any(|known| known == name))
            .collect();
        let mut query = Map::new();
        for (name, value) in &pairs {
            match query.get_mut(name) {
                None => {
                    query.insert(name.clone(), Value::from(value.as_str()));
                }
                Some(Value::Array(all)) => all.push(value.as_str().into()),
                Some(one) => *one = json!([one.take(), value]),
            }
        }
        let headers: Map<_, _> = info
            .headers()
            .keys()
            .filter_map(|name| Some((name.as_str().to_owned(), info.header(name)?.into())))
            .collect();
        let mut url = info.path().to_owned();
        if !pairs.is_empty() {
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            url = format!("{url}?{query}");
        }
        let origin = self.origin(info);
        let absolute = format!("{origin}{url}");
        json!({ "method": info.method().as_str(), "url": url, "absolute": absolute, "query": query, "headers": headers })
            .to_string()
    }

    fn origin(&self, info: &RequestInfo) -> String {
        match &self.url {
            Some(url) => url.origin().ascii_serialization(),
            None => format!("http://{}", info.header(header::HOST).unwrap_or("localhost")),
        }
    }
}

/// Nobody's request, for what is asked before there is one.
pub(super) fn stub() -> String {
    json!({ "method": "GET", "url": "/api/auth/session", "absolute": "http://localhost/api/auth/session", "query": {}, "headers": {} })
        .to_string()
}
