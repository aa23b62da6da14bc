"""The drivers: they carry out calls over HTTP, waiting or blocking. The one home of HTTP libraries; decide nothing."""
