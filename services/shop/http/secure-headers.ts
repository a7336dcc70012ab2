import { secureHeaders } from 'hono/secure-headers'

const NONE = ["'none'"]
const SELF = ["'self'"]

/** Nothing but our own style sheet and icon is loaded, no script runs, forms go nowhere else. */
export const strictHeaders = () =>
  secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: NONE,
      styleSrc: SELF,
      imgSrc: SELF,
      formAction: SELF,
      frameAncestors: NONE,
      baseUri: NONE,
    },
    // With `no-referrer`, browsers send `Origin: null` with our own form, and the cross-site check fails.
    referrerPolicy: 'same-origin',
    xFrameOptions: 'DENY',
    // Whoever puts TLS in front decides on HSTS; the rest speaks to plug-ins and browsers of long ago.
    strictTransportSecurity: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  })
