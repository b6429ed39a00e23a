//! What every guard, probe and rule carries: its name, its threat and its page.
