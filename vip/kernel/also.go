package kernel

// AlsoWatch has Watch tell of an interface that holds no address, because somebody
// tracks it. It must be called before Watch.
func (m *Manager) AlsoWatch(name string) { m.alsoWatched = append(m.alsoWatched, name) }
