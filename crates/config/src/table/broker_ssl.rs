//! Broker properties of TLS and authorization.

use super::row::notation::*;

#[rustfmt::skip]
pub(super) const PROPERTIES: &[Property] = properties! {
    "authorizer.class.name": String = "", NonNull, Low ReadOnly, without(Feature::Authorization);
        "The Java class that decides who may do what; empty lets everyone do everything."
    "principal.builder.class": Class = "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder", Any, Medium PerBroker, JAVA;
        "The Java class that turns a connection into a principal."
    "security.inter.broker.protocol": String = "PLAINTEXT", OneOf(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]), Medium ReadOnly, ACTS;
        "The security protocol between brokers, when inter.broker.listener.name is not set."
    "security.providers": String = null, Any, Low ReadOnly, JAVA;
        "Java classes that bring security algorithms."
    "ssl.allow.dn.changes": Boolean = "false", Any, Low ReadOnly, without(Feature::Tls);
        "Whether a new certificate may have another distinguished name."
    "ssl.allow.san.changes": Boolean = "false", Any, Low ReadOnly, without(Feature::Tls);
        "Whether a new certificate may lack some of the old one's alternative names."
    "ssl.cipher.suites": List = "", LIST, Medium PerBroker, without(Feature::Tls);
        "The cipher suites that may be used; all when empty."
    "ssl.client.auth": String = "none", OneOf(&["required", "requested", "none"]), Medium PerBroker, without(Feature::Tls);
        "Whether clients must, may or need not show a certificate."
    "ssl.enabled.protocols": List = "TLSv1.2,TLSv1.3", LIST, Medium PerBroker, without(Feature::Tls);
        "The TLS versions that may be used."
    "ssl.endpoint.identification.algorithm": String = "https", Any, Low PerBroker, without(Feature::Tls);
        "How a server's name is checked against its certificate; empty does not check."
    "ssl.engine.factory.class": Class = null, Any, Low PerBroker, JAVA;
        "A Java class that makes TLS engines."
    "ssl.key.password": Password = null, Any, Medium PerBroker, without(Feature::Tls);
        "The password of the private key."
    "ssl.keymanager.algorithm": String = "SunX509", Any, Medium PerBroker, JAVA;
        "The algorithm of the Java key manager."
    "ssl.keystore.certificate.chain": Password = null, Any, Medium PerBroker, without(Feature::Tls);
        "The certificate chain, in PEM."
    "ssl.keystore.key": Password = null, Any, Medium PerBroker, without(Feature::Tls);
        "The private key, in PEM."
    "ssl.keystore.location": String = null, Any, Medium PerBroker, without(Feature::Tls);
        "The file with the private key and its certificates."
    "ssl.keystore.password": Password = null, Any, Medium PerBroker, without(Feature::Tls);
        "The password of the key store file."
    "ssl.keystore.type": String = "JKS", Any, Medium PerBroker, without(Feature::Tls);
        "The format of the key store file."
    "ssl.principal.mapping.rules": String = "DEFAULT", Any, Low ReadOnly, without(Feature::Tls);
        "Rules that turn the name in a certificate into a short name."
    "ssl.protocol": String = "TLSv1.3", Any, Medium PerBroker, without(Feature::Tls);
        "The TLS version that is preferred."
    "ssl.provider": String = null, Any, Medium PerBroker, JAVA;
        "The Java provider of TLS."
    "ssl.secure.random.implementation": String = null, Any, Low PerBroker, JAVA;
        "The Java source of random numbers for TLS."
    "ssl.trustmanager.algorithm": String = "PKIX", Any, Medium PerBroker, JAVA;
        "The algorithm of the Java trust manager."
    "ssl.truststore.certificates": Password = null, Any, Medium PerBroker, without(Feature::Tls);
        "The certificates that are trusted, in PEM."
    "ssl.truststore.location": String = null, Any, Medium PerBroker, without(Feature::Tls);
        "The file with the certificates that are trusted."
    "ssl.truststore.password": Password = null, Any, Medium PerBroker, without(Feature::Tls);
        "The password of the trust store file."
    "ssl.truststore.type": String = "JKS", Any, Medium PerBroker, without(Feature::Tls);
        "The format of the trust store file."
};
