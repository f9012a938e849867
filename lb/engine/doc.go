// Package engine runs sessions on event loops: one Loop per core, each with its
// own epoll instance, listeners, timers and buffers. Nothing in here knows what a
// session says.
//
// A session is a Task: straight-line code on a coroutine that the loop resumes.
// It reads and writes Conns; where a socket is not ready it suspends and the loop
// goes on with the others. Rules for that code:
//
//   - It must never block: no lock held across a suspension, no channel, no file,
//     no name look-up. Such work goes to a goroutine that answers with Loop.Post.
//   - It runs on its loop alone. What loops share is atomic or behind a mutex that
//     is held for a few instructions.
//   - Buffers come from the loop and go back to it; an idle connection holds none.
//
// Sockets are watched edge-triggered and registered once, so steady traffic costs
// no epoll_ctl. A Conn remembers what it knows of its readiness: after a short
// read the socket is empty and the next read waits for an edge instead of asking
// the kernel for EAGAIN.
package engine
