// Package userlist holds the users of a `userlist` section, their groups and their
// passwords, and says whether a name and a password belong together. It is pure.
//
// Passwords are plain or crypt(3) hashes of the forms $1$ (MD5), $5$ (SHA-256), $6$
// (SHA-512), $2a$, $2b$ and $2y$ (bcrypt) and $y$ (yescrypt); other forms are refused when
// the configuration is read. A hash is slow on purpose: a check costs milliseconds to
// seconds. So an Asker on an event loop leaves it open, somebody else answers the Question,
// and each user remembers digests of the last password that was right and the last that
// was wrong: a client that sends the same password again and again is hashed once, at the
// cost of one SHA-256. A guesser, whose passwords are all different, costs a full check
// each; bound such clients by their rate. Both digests are of the hash, with its salt, and
// the password: who can read the process's memory can try passwords faster with them than
// with the hash.
//
// A name that is not in the list is answered at once: names can be told by time.
package userlist
