//! How a refused request is answered.
