"""The offline stand-ins: sites on loopback that answer under their real names."""
