"""What people do with houses and what is built on it; not the stages of a run."""
