// The project's tools, pinned apart from baton's own requirements.
module baton/tools

go 1.26.0
