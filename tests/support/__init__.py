"""What tests share: a clock that is set by hand, a wire without sockets, message builders."""
