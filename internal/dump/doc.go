// Package dump writes the present state of VRRP in the three forms that keepalived
// 2.2 writes on request: keepalived.data, keepalived.stats and keepalived.json.
// Programs made for these go on working: names, order and indentation of the lines
// are keepalived's, for everything that baton has. What it has not (buffers, file
// descriptors, IPVS, SNMP) is left out.
//
// It is a function of the values in a Snapshot: it asks nobody and writes no file.
package dump
