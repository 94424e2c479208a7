"""The order of the stages: photo, video, jobs. The only place that knows it."""
