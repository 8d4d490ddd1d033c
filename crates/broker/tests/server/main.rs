//! The server's promises towards connections, on a whole node in this process: which address a client is told, the
//! order of answers, limits, what is said of records, and what a stop does to requests under way.

mod configs;
mod harness;
mod limits;
mod listeners;
mod order;
mod records;
mod stop;
mod versions;
