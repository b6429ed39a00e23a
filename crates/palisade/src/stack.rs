//! The whole stack in its one right order.
