//! What a person's hand does: a pointer that presses at a place of the window.
//!
//! Unlike a click on an element, which the driver delivers, these go to whatever lies on top there, in whichever frame.

use std::time::Duration;

use anyhow::Result;
use fantoccini::actions::{InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};

use super::Browser;

/// Between two clicks of somebody who clicks fast.
const BETWEEN: Duration = Duration::from_millis(250);

impl Browser {
    /// Presses the button of the pointer at a place of the window, so many times.
    ///
    /// # Errors
    /// When the browser does not answer, or the place is outside of the window.
    pub async fn click_at(&self, (x, y): (f64, f64), times: usize) -> Result<()> {
        let to = PointerAction::MoveTo { duration: None, x, y };
        let mut hand = MouseActions::new("hand".to_owned()).then(to);
        for _ in 0..times {
            hand = hand
                .then(PointerAction::Down {
                    button: MOUSE_BUTTON_LEFT,
                })
                .then(PointerAction::Up {
                    button: MOUSE_BUTTON_LEFT,
                })
                .then(PointerAction::Pause { duration: BETWEEN });
        }
        Ok(self.client.perform_actions(hand).await?)
    }
}
