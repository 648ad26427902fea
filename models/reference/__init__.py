"""An independent rater, event by event. It shares nothing with the engine that it judges."""
