//! Broker properties of SASL, OAuth and delegation tokens.

use super::row::notation::*;

#[rustfmt::skip]
pub(super) const PROPERTIES: &[Property] = properties! {
    "connection.failed.authentication.delay.ms": Int = "100", at_least(0), Low ReadOnly, without(Feature::Sasl);
        "How long a connection that failed to authenticate stays open before it is closed."
    "connections.max.reauth.ms": Long = "0", Any, Medium ReadOnly, without(Feature::Sasl);
        "How long a SASL session lasts before the client must authenticate again; 0 is forever."
    "delegation.token.expiry.check.interval.ms": Long = "3600000", at_least(1), Low ReadOnly, without(Feature::Sasl);
        "How often expired delegation tokens are removed."
    "delegation.token.expiry.time.ms": Long = "86400000", at_least(1), Medium ReadOnly, without(Feature::Sasl);
        "How long a delegation token is valid before it must be renewed."
    "delegation.token.max.lifetime.ms": Long = "604800000", at_least(1), Medium ReadOnly, without(Feature::Sasl);
        "How long a delegation token can be renewed for."
    "delegation.token.secret.key": Password = null, Any, Medium ReadOnly, without(Feature::Sasl);
        "The secret that signs delegation tokens, the same on all nodes."
    "sasl.client.callback.handler.class": Class = null, Any, Medium ReadOnly, JAVA;
        "A Java class that answers the questions of a SASL client."
    "sasl.enabled.mechanisms": List = "GSSAPI", LIST, Medium PerBroker, without(Feature::Sasl);
        "The SASL mechanisms that clients may use."
    "sasl.jaas.config": Password = null, Any, Medium PerBroker, without(Feature::Sasl);
        "The login of SASL connections, in the form of a JAAS file."
    "sasl.kerberos.kinit.cmd": String = "/usr/bin/kinit", Any, Medium PerBroker, JAVA;
        "The kinit program."
    "sasl.kerberos.min.time.before.relogin": Long = "60000", Any, Medium PerBroker, JAVA;
        "The least time between two renewals of a Kerberos ticket."
    "sasl.kerberos.principal.to.local.rules": List = "DEFAULT", LIST, Medium PerBroker, JAVA;
        "Rules that turn Kerberos principals into short names."
    "sasl.kerberos.service.name": String = null, Any, Medium PerBroker, JAVA;
        "The name of Kafka's Kerberos principal."
    "sasl.kerberos.ticket.renew.jitter": Double = "0.05", Any, Medium PerBroker, JAVA;
        "How much the time of a Kerberos ticket's renewal varies."
    "sasl.kerberos.ticket.renew.window.factor": Double = "0.8", Any, Medium PerBroker, JAVA;
        "After which part of its life a Kerberos ticket is renewed."
    "sasl.login.callback.handler.class": Class = null, Any, Medium ReadOnly, JAVA;
        "A Java class that answers the questions of a SASL login."
    "sasl.login.class": Class = null, Any, Medium ReadOnly, JAVA;
        "A Java class that does SASL logins."
    "sasl.login.connect.timeout.ms": Int = null, Any, Low ReadOnly, without(Feature::Sasl);
        "How long a connection to an OAuth provider may take."
    "sasl.login.read.timeout.ms": Int = null, Any, Low ReadOnly, without(Feature::Sasl);
        "How long an answer of an OAuth provider may take."
    "sasl.login.refresh.buffer.seconds": Short = "300", Any, Medium PerBroker, without(Feature::Sasl);
        "How long before its end a credential is refreshed at the latest."
    "sasl.login.refresh.min.period.seconds": Short = "60", Any, Medium PerBroker, without(Feature::Sasl);
        "The least time between two refreshes of a credential."
    "sasl.login.refresh.window.factor": Double = "0.8", Any, Medium PerBroker, without(Feature::Sasl);
        "After which part of its life a credential is refreshed."
    "sasl.login.refresh.window.jitter": Double = "0.05", Any, Medium PerBroker, without(Feature::Sasl);
        "How much the time of a credential's refresh varies."
    "sasl.login.retry.backoff.max.ms": Long = "10000", Any, Low ReadOnly, without(Feature::Sasl);
        "The longest wait before an OAuth provider is asked again."
    "sasl.login.retry.backoff.ms": Long = "100", Any, Low ReadOnly, without(Feature::Sasl);
        "The first wait before an OAuth provider is asked again."
    "sasl.mechanism.controller.protocol": String = "GSSAPI", Any, High ReadOnly, without(Feature::Sasl);
        "The SASL mechanism on connections to controllers."
    "sasl.mechanism.inter.broker.protocol": String = "GSSAPI", Any, Medium PerBroker, without(Feature::Sasl);
        "The SASL mechanism on connections between brokers."
    "sasl.oauthbearer.assertion.algorithm": String = "RS256", OneOfIgnoringCase(&["ES256", "RS256"]), Medium ReadOnly, without(Feature::Sasl);
        "The algorithm that signs an OAuth assertion."
    "sasl.oauthbearer.assertion.claim.aud": String = null, Any, Medium ReadOnly, without(Feature::Sasl);
        "The audience claim of an OAuth assertion."
    "sasl.oauthbearer.assertion.claim.exp.seconds": Int = "300", between(0.0, 86400.0), Low ReadOnly, without(Feature::Sasl);
        "How many seconds from now an OAuth assertion expires."
    "sasl.oauthbearer.assertion.claim.iss": String = null, Any, Medium ReadOnly, without(Feature::Sasl);
        "The issuer claim of an OAuth assertion."
    "sasl.oauthbearer.assertion.claim.jti.include": Boolean = "false", Any, Medium ReadOnly, without(Feature::Sasl);
        "Whether an OAuth assertion gets an id of its own."
    "sasl.oauthbearer.assertion.claim.nbf.seconds": Int = "60", between(0.0, 3600.0), Low ReadOnly, without(Feature::Sasl);
        "How many seconds ago an OAuth assertion begins to be valid."
    "sasl.oauthbearer.assertion.claim.sub": String = null, Any, Medium ReadOnly, without(Feature::Sasl);
        "The subject claim of an OAuth assertion."
    "sasl.oauthbearer.assertion.file": String = null, Any, Medium ReadOnly, without(Feature::Sasl);
        "A file with a ready OAuth assertion."
    "sasl.oauthbearer.assertion.private.key.file": String = null, Any, Medium ReadOnly, without(Feature::Sasl);
        "The file of the private key that signs an OAuth assertion."
    "sasl.oauthbearer.assertion.private.key.passphrase": Password = null, Any, Medium ReadOnly, without(Feature::Sasl);
        "The passphrase of the private key that signs an OAuth assertion."
    "sasl.oauthbearer.assertion.template.file": String = null, Any, Medium ReadOnly, without(Feature::Sasl);
        "A file with the header and claims that an OAuth assertion starts from."
    "sasl.oauthbearer.client.credentials.client.id": String = null, Any, Medium ReadOnly, without(Feature::Sasl);
        "The client id sent to an OAuth provider."
    "sasl.oauthbearer.client.credentials.client.secret": Password = null, Any, Medium ReadOnly, without(Feature::Sasl);
        "The client secret sent to an OAuth provider."
    "sasl.oauthbearer.clock.skew.seconds": Int = "30", Any, Low ReadOnly, without(Feature::Sasl);
        "How far the clocks of the broker and an OAuth provider may differ."
    "sasl.oauthbearer.expected.audience": List = "", LIST, High ReadOnly, without(Feature::Sasl);
        "The audiences of which an OAuth token must name one."
    "sasl.oauthbearer.expected.issuer": String = null, Any, High ReadOnly, without(Feature::Sasl);
        "The issuer that an OAuth token must name."
    "sasl.oauthbearer.jwks.endpoint.refresh.ms": Long = "3600000", Any, Low ReadOnly, without(Feature::Sasl);
        "How often the keys of an OAuth provider are fetched."
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms": Long = "10000", Any, Low ReadOnly, without(Feature::Sasl);
        "The longest wait before the keys of an OAuth provider are fetched again after a failure."
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms": Long = "100", Any, Low ReadOnly, without(Feature::Sasl);
        "The first wait before the keys of an OAuth provider are fetched again after a failure."
    "sasl.oauthbearer.jwks.endpoint.url": String = null, Any, Medium ReadOnly, without(Feature::Sasl);
        "Where the keys of an OAuth provider are found."
    "sasl.oauthbearer.jwt.retriever.class": Class = "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever", Any, Medium ReadOnly, JAVA;
        "The Java class that gets OAuth tokens."
    "sasl.oauthbearer.jwt.validator.class": Class = "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator", Any, Medium ReadOnly, JAVA;
        "The Java class that checks OAuth tokens."
    "sasl.oauthbearer.scope": String = null, Any, Medium ReadOnly, without(Feature::Sasl);
        "The scope that is asked of an OAuth provider."
    "sasl.oauthbearer.scope.claim.name": String = "scope", Any, Low ReadOnly, without(Feature::Sasl);
        "The claim of an OAuth token that holds its scope."
    "sasl.oauthbearer.sub.claim.name": String = "sub", Any, Low ReadOnly, without(Feature::Sasl);
        "The claim of an OAuth token that holds its subject."
    "sasl.oauthbearer.token.endpoint.url": String = null, Any, Medium ReadOnly, without(Feature::Sasl);
        "Where an OAuth provider hands out tokens."
    "sasl.server.callback.handler.class": Class = null, Any, Medium ReadOnly, JAVA;
        "A Java class that answers the questions of a SASL server."
    "sasl.server.max.receive.size": Int = "524288", Any, Medium ReadOnly, without(Feature::Sasl);
        "The largest SASL message taken before a client has authenticated."
};
