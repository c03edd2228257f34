//! The rows of the seeds, one test each: with sessions in tokens and in a database, asked of Hallpass itself, of a
//! router of axum and of an application of actix-web.

mod document;
mod end;
mod seed1;
mod seed2;
mod seed3;
mod server;
mod shells;
mod site;
