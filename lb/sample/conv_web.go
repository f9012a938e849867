package sample

// webConverters are the JSON, JWT and Forwarded converters.
var webConverters = []converter{}
