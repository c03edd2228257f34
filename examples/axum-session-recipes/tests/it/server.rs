//! The API of the second seed, on a real socket.

use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use example_axum_session_recipes::enriched::Api;
use serde_json::json;

/// How the API behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mood {
    Well,
    Broken,
    Hanging,
}

pub struct Server {
    pub api: Api,
    calls: Arc<AtomicU32>,
    mood: Arc<Mutex<Mood>>,
}

impl Server {
    pub async fn start(mood: Mood) -> Self {
        // Where it was done before, it stays so.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let calls = Arc::new(AtomicU32::new(0));
        let mood = Arc::new(Mutex::new(mood));
        let (counter, current) = (Arc::clone(&calls), Arc::clone(&mood));
        let enter = move || {
            counter.fetch_add(1, Ordering::SeqCst);
            let mood = *current.lock().unwrap();
            async move {
                match mood {
                    Mood::Well => Ok(()),
                    Mood::Broken => Err(StatusCode::INTERNAL_SERVER_ERROR),
                    Mood::Hanging => pending().await,
                }
            }
        };
        let session = {
            let enter = enter.clone();
            async move |Path(token): Path<String>| {
                enter().await?;
                // Only who brings the provider's token learns something.
                let person = json!({ "name": "Ada", "avatar": "/ada.png", "role": "manager" });
                (token == "t-1").then(|| person.to_string()).ok_or(StatusCode::NOT_FOUND)
            }
        };
        let unread = async move || {
            enter().await?;
            Ok::<_, StatusCode>("3")
        };
        let app = Router::new().route("/api/session/{token}", get(session)).route("/api/unread", get(unread));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, app).await });
        // Connections belong to the thread that made them, and each application of actix-web has its own.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).no_proxy().build().unwrap();
        Self { api: Api { client, url }, calls, mood }
    }

    /// From now on it behaves so.
    pub fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// How often it was called.
    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::SeqCst)
    }
}
