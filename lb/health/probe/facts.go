package probe

import (
	"net/netip"
	"strconv"
	"time"

	"baton/lb/http1"
	"baton/lb/logfmt"
	"baton/lb/sample"
	"baton/lb/spec"
)

// Facts are what the expressions and formats of a check see of the process and of the
// server that is checked.
type Facts struct {
	World   sample.World
	Proc    *sample.ProcVars
	Backend *sample.Proxy
	Server  *sample.Target
	Host    string
	PID     int
	// State is the value of http-check send-state's header, at each moment.
	State func() string
}

// sampled is the room in which a check evaluates expressions.
type sampled struct {
	ctx         sample.Ctx
	rec         logfmt.Record
	sess, check sample.Vars
	head        http1.Message
}

// context returns what expressions look at: the answer as far as it has come.
func (x *exchange) context() *sample.Ctx {
	if x.facts == nil {
		x.facts = x.newFacts()
	}
	f := x.facts
	got := x.buf[:x.n]
	f.ctx.Out = sample.Channel{B: got, End: x.eof}
	f.ctx.Res = sample.Message{}
	if x.plan.Kind != spec.CheckHTTP {
		return &f.ctx
	}
	f.ctx.Out = sample.Channel{}
	p, ok := parse(got)
	if !ok || !p.complete {
		return &f.ctx
	}
	f.ctx.Res.Status = p.status
	if body, _, ok := p.body(got[p.size:], x.head); ok {
		f.ctx.Res.Body, f.ctx.Res.Size = body, p.length
	}
	f.head.Reset()
	if f.head.ParseResponse(got, http1.MethodGet) == http1.Done {
		f.ctx.Res.Head, f.ctx.Res.Buf = &f.head, got
	}
	return &f.ctx
}

func (x *exchange) newFacts() *sampled {
	f := &sampled{}
	f.ctx.Final = true
	f.ctx.Vars[sample.ScopeSess], f.ctx.Vars[sample.ScopeCheck] = &f.sess, &f.check
	f.rec = logfmt.Record{Date: time.Now(), Target: x.target.Addr, Unix: x.target.Socket != "", Sample: &f.ctx}
	if known := x.target.Facts; known != nil {
		f.ctx.World, f.ctx.Proc, f.ctx.Backend, f.ctx.Target = known.World, known.Proc, known.Backend, known.Server
		f.rec.Host, f.rec.PID = known.Host, known.PID
		f.rec.Frontend, f.rec.Backend, f.rec.Server = known.Backend.Name, known.Backend.Name, known.Server.Name
	}
	if x.conn != nil {
		f.rec.Source, _ = netip.ParseAddrPort(x.conn.LocalAddr().String())
	}
	return f
}

func (x *exchange) format(f *logfmt.Format) string {
	x.context()
	return string(f.Append(nil, &x.facts.rec))
}

// number evaluates an expression to a whole number.
func (x *exchange) number(e *sample.Expr) (int, bool) {
	n, err := strconv.Atoi(string(e.Text(x.context())))
	return n, err == nil
}

func (x *exchange) setVar(v *spec.CheckVar) {
	c := x.context()
	switch {
	case v.Format != nil:
		c.SetVarIf(v.Name, v.Conds, &sample.Sample{Type: sample.Str, B: []byte(x.format(v.Format))})
	case v.Expr != nil:
		if s, ok := v.Expr.Eval(c); ok {
			c.SetVarIf(v.Name, v.Conds, s)
		}
	default:
		c.UnsetVar(v.Name)
	}
}
