package sample

// Places is a set of points in the life of a connection at which an expression may
// be evaluated.
type Places uint32

// The places, in the order in which a connection comes to them.
const (
	AtConnection     Places = 1 << iota // tcp-request connection
	AtSession                           // tcp-request session
	AtContent                           // tcp-request content of a frontend
	AtRequest                           // http-request of a frontend
	AtSwitch                            // use_backend
	AtBackendContent                    // tcp-request content of a backend
	AtBackendRequest                    // http-request of a backend
	AtServerChoice                      // use-server, balance, stick match
	AtConnect                           // the address that a server is connected from
	AtResContent                        // tcp-response content
	AtResponse                          // http-response, http-after-response
	AtStore                             // stick store-response
	AtLog
	AtCheck // tcp-check, http-check
	AtLoad  // the configuration is being read
	AtCLI

	requestPlaces    = AtContent | AtRequest | AtSwitch | AtBackendContent | AtBackendRequest | AtServerChoice
	responsePlaces   = AtResContent | AtResponse | AtStore
	transactionPlace = requestPlaces | AtConnect | responsePlaces | AtLog

	anywhere    = AtConnection | AtSession | transactionPlace | AtCheck | AtLoad | AtCLI
	running     = anywhere &^ AtLoad                                    // needs proxies and servers
	client      = AtConnection | AtSession | transactionPlace | AtCheck // needs the client's connection
	session     = AtConnection | AtSession | transactionPlace           // needs the frontend
	inBackend   = AtBackendContent | AtBackendRequest | AtServerChoice | AtConnect | responsePlaces | AtLog | AtCheck
	request     = requestPlaces    // needs the request, which is gone when the response comes
	persistent  = transactionPlace // needs what is kept of the request
	requestOrIn = requestPlaces | AtConnect | AtResContent | AtResponse | AtStore | AtCheck
	response    = responsePlaces | AtCheck         // needs the response
	server      = responsePlaces | AtLog | AtCheck // needs the server's connection, or what is kept of the response
	chosen      = AtConnect | responsePlaces | AtLog | AtCheck
)
